/**
 * Loaded into the emulator's functions ahead of their code (`NODE_OPTIONS`): one host name resolves to a public address,
 * and connections to that address reach a receiver on this machine instead.
 *
 * The functions are deployed as they are, with every safeguard on: they see a public name, a public address and port 443.
 * Only the wire is played, for nothing here may leave the machine.
 */
const dns = require("node:dns/promises");
const net = require("node:net");

const { RECEIVER_HOST, RECEIVER_ADDRESS, RECEIVER_PORT } = process.env;

const { lookup } = dns;
dns.lookup = async (host, options) =>
  host === RECEIVER_HOST ? [{ address: RECEIVER_ADDRESS, family: 4 }] : lookup(host, options);

const { connect } = net;
net.connect = (options, ...rest) =>
  options?.host === RECEIVER_ADDRESS && options.port === 443
    ? connect({ host: "127.0.0.1", port: Number(RECEIVER_PORT) }, ...rest)
    : connect(options, ...rest);
