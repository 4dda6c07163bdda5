import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { prelude } from "./host-commands.ts";

test.for([
  ["a value behind an equals sign", ["kube-apiserver", "--v=2", "--bind-address=0.0.0.0"], ["--v=2", "--bind-address=0.0.0.0"]],
  [
    "a value as a word of its own",
    ["kube-apiserver", "--v", "2", "--etcd-servers", "http://127.0.0.1:2379"],
    ["--v=2", "--etcd-servers=http://127.0.0.1:2379"],
  ],
  ["no value", ["kube-apiserver", "--allow-privileged", "--v=2", "--profiling"], ["--allow-privileged", "--v=2", "--profiling"]],
  ["what is no flag", ["kube-apiserver", "word", "--v=2", "word", "-x"], ["--v=2"]],
] as const)("the flags of a process are read with %s", ([, words, expected]) => {
  const read = execFileSync("sh", ["-c", `${prelude}\nflags_of kube-apiserver`], {
    input: words.map((word) => `${word}\0`).join(""),
    encoding: "utf8",
  });

  expect(read.trim().split("\n")).toEqual(expected.map((flag) => `kube-apiserver ${flag}`));
});
