import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { harmless, planted, tracesIn } from "./planted.ts";
import { filterOf } from "./pattern.ts";
import { patterns, redact, redactError, redactObject } from "./redact.ts";

test.for(patterns)("its example shows what a pattern hides, by itself and with all others: $hides", (pattern) => {
  expect(filterOf(pattern)(pattern.example)).toBe(pattern.leaves);
  expect(redact(pattern.example)).toBe(pattern.leaves);
});

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

const repeated: readonly (readonly [first: string, again: string, last: string])[] = [
  // Lines that may be those of a key, up to an END that never comes.
  ["", "word\n", ""],
  ["", "word\\n", ""],
  ["", "---- BEGIN A ----", ""],
  ["", "-----BEGIN A-----\n", ""],
  ["", "-----END A-----\n", ""],
  // What may stand between a name and its value.
  ["secret:", " ", ""],
  ["token", " ", ""],
  ["token:", " ", ""],
  ["authorization:", "\t", ""],
  ["token", "\\", ""],
  ["data", "\n", ""],
  // Values that nothing ends.
  ["data:{", "\\", ""],
  ["data:{", "x", ""],
  ['token: "', '\\"', ""],
  ["--token=a", "'", "x"],
  ["--token=a", "\\", "x"],
  [" -u a:b", "'", "x"],
  ["", "a://b:c", ""],
  ["", "a://b", ""],
  ["secret:", "! ", ""],
  ["data:\n", " x\n", ""],
  ["token:\n", " x\n", ""],
  ["", "a: b: c\n", ""],
  // What may be a line of a file of tokens, a key in hexadecimal digits, or a password of digits.
  ["", '"0123456789abcdef,', ""],
  ["0123456789abcdef", ",a", ""],
  ["0123456789abcdef,a,", "1", "x"],
  ["{", " ", ""],
  ["", ",key", ""],
  ["secret key", " is", ""],
  ["a://b:", "1/", ""],
];

test.for(repeated)("a text twice as long takes no more than its share of time: %j, %j, %j", ([first, again, last]) => {
  const tookMs = (length: number): number => {
    const text = `${first}${again.repeat(length / again.length)}${last}`;
    const began = performance.now();
    redact(text);
    return performance.now() - began;
  };
  tookMs(1_000);

  const [once, eightfold] = [tookMs(10_000), tookMs(80_000)];

  // Eight times as long is sixty-four times where each character is tried with each other. What takes no time at all cannot be compared.
  expect(eightfold).toBeLessThan(Math.max(32 * once, 250));
});

test("two megabytes of short lines take no seconds", () => {
  const began = performance.now();

  redact("word\n".repeat(400_000));

  expect(performance.now() - began).toBeLessThan(2_500);
});

test("what is longer than anybody reads is cut off, where the patterns would run out of memory", () => {
  const shown = redact(`data: {${"x".repeat(9_000_000)}`);

  expect(shown).toMatch(/^data: \{\[redacted\]/);
  expect(shown).toMatch(/cut off/);
});

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

const recorded = join(import.meta.dirname, "../diagnosis/recorded");

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

test("of an error all that it holds is filtered, however deep, in the form in which Vitest keeps it, too", () => {
  /** Vitest copies errors into objects without a prototype. */
  const kept = (values: object): object => Object.assign(Object.create(null) as object, values);
  const first = new Error("password: hunter2x");
  const request = kept({ headers: ["accept: all", "authorization: Basic hunter2x"], name: "token: hunter2x" });
  const error = kept({ name: "ConformanceError", message: "password=hunter2x", errors: [first], request });
  Object.assign(request, { error });

  redactError(error);

  expect([first.message, first.stack].join("\n")).not.toContain("hunter2x");
  expect(JSON.stringify(request, (key, value: unknown) => (key === "error" ? undefined : value))).not.toContain("hunter2x");
  expect(error).toMatchObject({ name: "ConformanceError", message: "password=[redacted]" });
});

test("what an error holds under the name of a secret is hidden, whatever it is", () => {
  const error = Object.assign(new Error("refused"), { user: { name: "alice", password: "hunter2x" }, apiKey: "planted" });

  redactError(error);

  expect(error).toMatchObject({ message: "refused", user: { name: "alice", password: "[redacted]" }, apiKey: "[redacted]" });
});

test("of an object a variable and an argument are known by the name beside the one and the flag in front of the other", () => {
  const env = [
    { name: "DB_PASSWORD", value: "planted" },
    { name: "SECRET", value: "planted" },
    { name: "SECRET_KEY_BASE", value: "planted" },
    { name: "MODE", value: "fast" },
  ];
  const object = {
    metadata: { name: "nginx" },
    spec: { env, args: ["--token", "planted", "--v", "2", "token", "shown", "-u", "root:planted", "--user", "shown"] },
    token: "planted",
  };

  redactObject(object);

  expect(object).toEqual({
    metadata: { name: "nginx" },
    spec: {
      env: [
        { name: "DB_PASSWORD", value: "[redacted]" },
        { name: "SECRET", value: "[redacted]" },
        { name: "SECRET_KEY_BASE", value: "[redacted]" },
        { name: "MODE", value: "fast" },
      ],
      args: ["--token", "[redacted]", "--v", "2", "token", "shown", "-u", "root:[redacted]", "--user", "shown"],
    },
    token: "[redacted]",
  });
});
