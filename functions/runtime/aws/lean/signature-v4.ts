/**
 * Signature Version 4 of a POST to the root of a service, as all calls of AWS's JSON protocols are.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { createHmac, hash } from "node:crypto";
import type { Credentials } from "./credentials.ts";
import { HmacSha256 } from "./hmac.ts";

/** What is signed beside body and time. None of it has blanks at its ends or two in a row. */
export interface JsonRequest {
  readonly contentType: string;
  /** As `DynamoDB_20120810.GetItem`. */
  readonly target: string;
  readonly body: string;
}

/** Signs for one service at one place. */
export class RequestSigner {
  private readonly host: string;
  private readonly region: string;
  private readonly service: string;
  /** The key is the same for a day, and takes four times as long as a signature. */
  private cached: { readonly day: string; readonly secret: string; readonly key: HmacSha256 } | null = null;
  /** Signatures tell the second, and many are made in one. */
  private second = { sinceEpoch: -1, time: "" };

  /** @param host with its port where that is not the protocol's own */
  constructor({ host, region, service }: { host: string; region: string; service: string }) {
    this.host = host;
    this.region = region;
    this.service = service;
  }

  /**
   * The headers of a signed request, as a list of names and values in turn: Node writes a list as it is, where of an object it
   * keeps each header and looks it up again.
   * @param atMs epoch milliseconds; the service accepts five minutes to either side
   */
  sign({ contentType, target, body }: JsonRequest, credentials: Credentials, atMs: number): string[] {
    const { accessKeyId, secretAccessKey, sessionToken } = credentials;
    const time = this.timeOf(atMs);
    const day = time.slice(0, 8);
    const scope = `${day}/${this.region}/${this.service}/aws4_request`;
    const names =
      sessionToken === undefined
        ? "content-type;host;x-amz-date;x-amz-target"
        : "content-type;host;x-amz-date;x-amz-security-token;x-amz-target";
    const token = sessionToken === undefined ? "" : `x-amz-security-token:${sessionToken}\n`;
    const canonical =
      `POST\n/\n\ncontent-type:${contentType}\nhost:${this.host}\nx-amz-date:${time}\n${token}x-amz-target:${target}\n\n` +
      `${names}\n${hash("sha256", body)}`;
    const toSign = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${hash("sha256", canonical)}`;
    const signature = this.keyOf(day, secretAccessKey).hexOf(toSign);
    const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
    const headers = ["host", this.host, "content-type", contentType, "x-amz-date", time, "x-amz-target", target];
    if (sessionToken !== undefined) headers.push("x-amz-security-token", sessionToken);
    headers.push("authorization", authorization);
    return headers;
  }

  /** As `20260601T120000Z`. */
  private timeOf(atMs: number): string {
    const sinceEpoch = Math.floor(atMs / 1_000);
    if (this.second.sinceEpoch !== sinceEpoch)
      this.second = { sinceEpoch, time: new Date(atMs).toISOString().replace(/[:-]|\.\d{3}/g, "") };
    return this.second.time;
  }

  private keyOf(day: string, secret: string): HmacSha256 {
    if (this.cached?.day !== day || this.cached.secret !== secret) {
      const key = [day, this.region, this.service, "aws4_request"].reduce<Buffer>(
        (last, part) => createHmac("sha256", last).update(part).digest(),
        Buffer.from(`AWS4${secret}`),
      );
      this.cached = { day, secret, key: new HmacSha256(key) };
    }
    return this.cached.key;
  }
}
