/**
 * Where a live stream is: a watermark, and what was delivered beyond it.
 *
 * As a cursor it is the watermark and the ids beyond it, 8 bytes each.
 */
import { fromBase64Url, toBase64Url } from "./base64url.ts";
import { MAX_UNSETTLED_IDS } from "./limits.ts";

const FINGERPRINT_BYTES = 8;

export class StreamPlace {
  /** Everything up to this position was delivered, or came before the stream. */
  private watermark: string;
  /** What was delivered beyond it: fingerprint to position. */
  private readonly unsettled: Map<string, string>;

  private constructor(watermark: string, unsettled: Map<string, string>) {
    this.watermark = watermark;
    this.unsettled = unsettled;
  }

  static at(timeMs: number): StreamPlace {
    return new StreamPlace(new Date(timeMs).toISOString(), new Map());
  }

  /**
   * The place as text that is safe in a URL. Of more ids than fit, the oldest are left out: a stream resumed from there
   * may repeat them, and leaves nothing out.
   */
  toText(): string {
    const fingerprints = [...this.unsettled.keys()].slice(-MAX_UNSETTLED_IDS);
    const packed = fingerprints.flatMap((hex) => (hex.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)));
    return `${toBase64Url(new TextEncoder().encode(this.watermark))}~${toBase64Url(Uint8Array.from(packed))}`;
  }

  /** @param text as `toText` wrote it */
  static fromText(text: string, nowMs: number): StreamPlace {
    const [watermark = "", packed = ""] = text.split("~");
    const bytes = fromBase64Url(packed);
    // Their positions are not known until they are met again, but none of them lies ahead of now.
    const latest = new Date(nowMs).toISOString();
    const unsettled = new Map<string, string>();
    for (let at = 0; at < bytes.length; at += FINGERPRINT_BYTES) {
      const fingerprint = Array.from(bytes.subarray(at, at + FINGERPRINT_BYTES), (byte) =>
        byte.toString(16).padStart(2, "0"),
      );
      unsettled.set(fingerprint.join(""), latest);
    }
    return new StreamPlace(new TextDecoder().decode(fromBase64Url(watermark)), unsettled);
  }

  get start(): string {
    return this.watermark;
  }

  has(position: string): boolean {
    return this.unsettled.has(fingerprintOf(position));
  }

  /** Takes note of a delivery; positions come in order within a sweep. */
  add(position: string, settledUpTo: string): void {
    if (position < settledUpTo) this.settle(position);
    else this.unsettled.set(fingerprintOf(position), position);
  }

  /** Nothing new can appear up to a position any more. */
  settle(upTo: string): void {
    if (upTo <= this.watermark) return;
    this.watermark = upTo;
    for (const [fingerprint, position] of this.unsettled) if (position <= upTo) this.unsettled.delete(fingerprint);
  }

  /** Gives a resumed id its position back when it is met again. */
  recall(position: string): void {
    this.unsettled.set(fingerprintOf(position), position);
  }
}

/** The last 64 bits of the event's id, nearly all of them random or hashed, in hexadecimal. */
function fingerprintOf(position: string): string {
  return position.replaceAll("-", "").slice(-2 * FINGERPRINT_BYTES);
}
