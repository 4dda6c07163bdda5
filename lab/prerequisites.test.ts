import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { binaryNames } from "./binaries.ts";
import { prerequisites, type Machine } from "./prerequisites.ts";

/** A machine that has all that the lab can ask for. */
const complete: Machine = {
  platform: "linux",
  architecture: "x64",
  isRoot: true,
  goVersion: "go version go1.26.8 linux/amd64",
  has: () => true,
  hasApt: true,
};
const without = (...files: readonly string[]): Machine => ({ ...complete, has: (path) => !files.includes(basename(path)) });

const everything = { builds: true, debootstraps: true };
const nothing = { builds: false, debootstraps: false };

test("a machine that has everything is asked for nothing", () => {
  expect(prerequisites(complete, everything, {})).toEqual({ problems: [], packages: [] });
});

test("all that is missing is said at once, each with what to do", () => {
  const bare: Machine = { ...complete, platform: "darwin", architecture: "arm64", isRoot: false, goVersion: "", has: () => false };
  expect(prerequisites(bare, everything, { ready: "/nowhere" }).problems).toEqual([
    "The lab boots on Linux, amd64 (to Node: linux, x64); this machine is darwin, arm64.",
    "The lab needs root, for namespaces, mounts and cgroups: sudo npm run lab -- up",
    expect.stringMatching(/^The lab builds Kubernetes with Go 1\.26 or newer; there is none in PATH\. .*LAB_BINARIES\.$/),
    `LAB_BINARIES="/nowhere": it lacks ${binaryNames.join(", ")}.`,
  ]);
});

test.for([
  ["ip", "iproute2"],
  ["systemd-nspawn", "systemd-container"],
  ["ssh", "openssh-client"],
  ["mmdebstrap", "mmdebstrap"],
  ["git", "git"],
  ["gcc", "gcc libc6-dev"],
  ["seccomp.h", "libseccomp-dev"],
] as const)("without %s, %s is installed", ([file, packages]) => {
  expect(prerequisites(without(file), everything, {})).toEqual({ problems: [], packages: packages.split(" ") });
});

test.for([
  ["LAB_INSTALL=never", without("ip", "git"), "never"],
  ["no apt-get", { ...without("ip", "git"), hasApt: false }, undefined],
] as const)("with %s missing packages are named in the command that installs them, and stop the boot", ([_what, machine, install]) => {
  expect(prerequisites(machine, everything, { install }).problems).toEqual([
    "The lab needs Debian packages that are not installed: apt-get install --yes --no-install-recommends iproute2 git",
  ]);
});

test.for(["no", "0", "Never", "always"])("LAB_INSTALL=%s is refused, and nothing is installed", (install) => {
  expect(prerequisites(without("ip"), everything, { install }).problems).toEqual([
    `LAB_INSTALL="${install}": expected never, so that missing Debian packages are only named, or nothing, so that they are installed.`,
    "The lab needs Debian packages that are not installed: apt-get install --yes --no-install-recommends iproute2",
  ]);
});

test("LAB_INSTALL that is empty is as one that is not set", () => {
  expect(prerequisites(without("ip"), everything, { install: "" })).toEqual({ problems: [], packages: ["iproute2"] });
});

test("who is not root is told of packages and of root together", () => {
  expect(prerequisites({ ...without("ip"), isRoot: false }, nothing, {}).problems).toEqual([
    expect.stringContaining("needs root"),
    expect.stringContaining("iproute2"),
  ]);
});

test("what the cache holds needs no tool that would make it", () => {
  const machine = { ...without("mmdebstrap", "git", "seccomp.h"), goVersion: "" };
  expect(prerequisites(machine, nothing, { install: "never" })).toEqual({ problems: [], packages: [] });
});

test.for([
  ["go version go1.19.8 linux/amd64", false],
  ["go version go1.20 linux/amd64", false],
  ["go version go1.21.0 linux/amd64", true],
  ["go version go1.26.8 linux/amd64", true],
  ["go version go1.100 linux/amd64", true],
] as const)("%s can build: %s", ([goVersion, can]) => {
  const { problems } = prerequisites({ ...complete, goVersion }, everything, {});
  expect(problems).toEqual(can ? [] : [expect.stringContaining(`"go version" says "${goVersion}"`)]);
});

test("a folder of ready binaries that lacks one is refused with its name", () => {
  const ready = mkdtempSync(join(tmpdir(), "lab-binaries-"));
  for (const name of binaryNames.filter((binary) => binary !== "runc")) writeFileSync(join(ready, name), "");
  const { problems } = prerequisites(complete, nothing, { ready });
  rmSync(ready, { recursive: true });
  expect(problems).toEqual([`LAB_BINARIES="${ready}": it lacks runc.`]);
});
