/**
 * The stand-in for DynamoDB and EventBridge: a process of its own that answers signed or unsigned POSTs over HTTPS on
 * loopback, as cheaply as it can, so that what is measured is whoever asks. It keeps nothing: each write succeeds.
 *
 * It says where it is in its first line; `GET /calls` gives the calls since the last such question.
 */

import type { AddressInfo } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { generate } from "selfsigned";

/** One call: its `x-amz-target`, and when it came, in epoch milliseconds with fractions. */
export interface SeenCall {
  readonly target: string;
  readonly atMs: number;
}

/** Its first line. */
export interface StandInPlace {
  readonly port: number;
  /** The certificate that clients have to trust, as PEM. */
  readonly certificate: string;
}

const HEAD_END = "\r\n\r\n";
const now = (): number => performance.timeOrigin + performance.now();

let calls: SeenCall[] = [];

const { private: key, cert } = await generate([{ name: "commonName", value: "localhost" }], {
  keyType: "ec",
  algorithm: "sha256",
  extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: "localhost" }] }],
});

/** HTTP/1.1 as the clients here speak it: a head, and a body of known length. */
function serve(socket: TLSSocket): void {
  let received = "";
  socket.setNoDelay(true);
  socket.setEncoding("latin1");
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: string) => {
    received += chunk;
    for (;;) {
      const headEnd = received.indexOf(HEAD_END);
      if (headEnd < 0) return;
      const head = received.slice(0, headEnd);
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      const end = headEnd + HEAD_END.length + length;
      if (received.length < end) return;
      const answered = answer(head, received.slice(headEnd + HEAD_END.length, end));
      received = received.slice(end);
      socket.write(answered);
    }
  });
}

function answer(head: string, body: string): string {
  if (head.startsWith("GET /calls ")) {
    const seen = calls;
    calls = [];
    return httpAnswer(JSON.stringify(seen));
  }
  const target = /\r\nx-amz-target: *(\S+)/i.exec(head)?.[1] ?? "";
  calls.push({ target, atMs: now() });
  return httpAnswer(target === "AWSEvents.PutEvents" ? takenEvents(body) : "{}");
}

/** An id for each entry. */
function takenEvents(body: string): string {
  const count = body.split('"Detail":').length - 1;
  const entries = Array.from({ length: count }, () => '{"EventId":"11111111-1111-4111-8111-111111111111"}');
  return `{"FailedEntryCount":0,"Entries":[${entries.join(",")}]}`;
}

const httpAnswer = (body: string): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

const server = createServer({ key, cert }, serve);
server.listen(0, "127.0.0.1", () => {
  const place: StandInPlace = { port: (server.address() as AddressInfo).port, certificate: cert };
  console.log(JSON.stringify(place));
});
