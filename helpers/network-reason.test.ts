import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { hangs, networkReason, neverArrived } from "./network-reason.ts";

const failure = (code: string, message = "it failed"): Error => Object.assign(new Error(message), { code });

test.for([
  ["ECONNREFUSED", "connection refused. Is kube-apiserver running there, and is the port right?"],
  ["ENOTFOUND", "its name does not resolve. Add it to /etc/hosts, or use an address in the kubeconfig."],
  ["UND_ERR_CONNECT_TIMEOUT", "no connection. Is the host up, and does a firewall drop the port?"],
  ["ECONNRESET", "the connection was reset. Did kube-apiserver just stop?"],
  ["CERT_HAS_EXPIRED", "its certificate has expired. Renew it, and compare this machine's clock with the server's."],
])("%s says what is wrong and what to do: %s", ([code, sentence]) => {
  expect(networkReason(failure(code as string))).toBe(sentence);
});

test("a code is found where a library has wrapped it, and where Node has bundled the errors of several addresses", () => {
  const refused = "connection refused. Is kube-apiserver running there, and is the port right?";
  expect(networkReason(new Error("fetch failed", { cause: new Error("inner", { cause: failure("ECONNREFUSED") }) }))).toBe(refused);
  expect(networkReason(new AggregateError([failure("ECONNREFUSED"), failure("ENETUNREACH")]))).toBe(refused);
  expect(networkReason(Object.assign(new AggregateError([new Error("one")]), { code: "ECONNREFUSED" }))).toBe(refused);
});

test("for a certificate of another name the names that it has are told", () => {
  const error = failure("ERR_TLS_CERT_ALTNAME_INVALID", "Host: localhost. is not in the cert's altnames: DNS:kubernetes");
  expect(networkReason(error)).toMatch(/^its certificate is for another name\. .* tls-server-name\. \(Host: .* DNS:kubernetes\)$/);
});

test("what is not JSON is no answer of an API", () => {
  expect(networkReason(new SyntaxError("Unexpected token '<'"))).toBe("what came is not JSON. Is this the address of a Kubernetes API?");
});

test.for([
  ["ECONNREFUSED", true],
  ["UND_ERR_CONNECT_TIMEOUT", true],
  ["CERT_HAS_EXPIRED", true],
  ["SELF_SIGNED_CERT_IN_CHAIN", true],
  ["ERR_TLS_CERT_ALTNAME_INVALID", true],
  ["ECONNRESET", false],
  ["UND_ERR_SOCKET", false],
  ["EPIPE", false],
] as const)("after %s a request has certainly not arrived: %s", ([code, never]) => {
  expect(neverArrived(new Error("wrapped", { cause: failure(code) }))).toBe(never);
});

test("what has no remedy is quoted as it is", () => {
  expect(networkReason(failure("EPROTO", "wrong version"))).toBe("wrong version.");
  expect(networkReason("gone")).toBe("gone.");
  expect(networkReason(undefined)).toBe("undefined.");
});

test("a server whose port takes connections hangs, one whose port takes none is away", async () => {
  const silent = createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  const server = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`;

  expect(await hangs(failure("UND_ERR_CONNECT_TIMEOUT"), server)).toBe(true);
  expect(await hangs(failure("CERT_HAS_EXPIRED"), server)).toBe(false);

  silent.close();
  await once(silent, "close");
  expect(await hangs(failure("UND_ERR_CONNECT_TIMEOUT"), server)).toBe(false);
});
