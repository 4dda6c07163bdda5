import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { harmless, planted, tracesIn } from "./planted.ts";
import { redact, redactError } from "./redact.ts";

test.for(planted)("$what does not get through", ({ text, secret }) => {
  expect(text).toContain(secret);

  expect(redact(text)).not.toContain(secret);
});

test("nothing of it gets through either where all of it stands in one text", () => {
  const text = planted.map((each) => each.text).join("\n\n");

  expect(tracesIn(redact(text))).toEqual([]);
});

test.for(planted.filter(({ text }) => !text.includes("\n")))("$what does not get through in a string of JSON", ({ text, secret }) => {
  expect(redact(JSON.stringify({ message: text }))).not.toContain(secret);
});

test.for(planted)("$what does not get through in a journal, with the unit in front of each line", ({ text, secret }) => {
  expect(redact(text.replaceAll(/^/gm, "kubelet: "))).not.toContain(secret);
});

test.for(["a1B", "x: y\n", "a.", "--", '\\"', "data: {", "kubelet: ", `${"a".repeat(64)}\n`])(
  "a long text takes no long time, whatever it repeats: %j",
  (text) => {
    const began = performance.now();

    redact(text.repeat(50_000 / text.length));

    // A few milliseconds; one that is tried anew from each character takes minutes.
    expect(performance.now() - began).toBeLessThan(3_000);
  },
);

test.for(planted)("what is left of $what comes through a second time as it is", ({ text }) => {
  const once = redact(text);

  expect(redact(once)).toBe(once);
});

test.for(planted)("the lines around $what stay", ({ text }) => {
  const around = redact(`node-0: before it\n${text}\nnode-1: after it`);

  expect(around).toMatch(/^node-0: before it\n/);
  expect(around).toMatch(/\nnode-1: after it$/);
});

test.for(harmless)("what is no secret stays as it is: %s", (text) => {
  expect(redact(text)).toBe(text);
});

const recorded = join(import.meta.dirname, "recorded");

test.for(readdirSync(recorded))("the evidence of a cluster in which all is well stays as it is: %s", (name) => {
  const text = readFileSync(join(recorded, name), "utf8");

  expect(redact(text)).toBe(text);
});

test("a CNI file with a token in it can still be read", () => {
  const text = '{"name":"k8s-pod-network","k8s_auth_token":"planted-planted","type":"calico","etcd":{"password":"planted"}}';

  expect(JSON.parse(redact(text))).toEqual({
    name: "k8s-pod-network",
    k8s_auth_token: "[redacted]",
    type: "calico",
    etcd: { password: "[redacted]" },
  });
});

test("of an error everything that is ever printed is filtered, that of its cause too, and the name stays", () => {
  const cause = new Error("token: planted-planted");
  const more = { name: "ConformanceError", diff: "- token: planted", expected: "K3S_TOKEN=planted", cause };
  const error = Object.assign(new Error("password=planted"), more);

  redactError(error);

  expect(error.name).toBe("ConformanceError");
  expect([error.message, error.stack, error.diff, error.expected, cause.message, cause.stack].join("\n")).not.toContain("planted");
});
