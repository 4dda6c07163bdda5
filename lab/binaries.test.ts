import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { binariesFolder, binaryNames, haveBinaries, missingFrom, provideBinaries } from "./binaries.ts";

/** The cache of these tests, in place of the machine's, which others use. */
const place = vi.hoisted(() => ({ cacheFolder: "" }));
vi.mock("./instance.ts", async (original) => ({
  ...(await original<object>()),
  get cacheFolder() {
    return place.cacheFolder;
  },
}));

/**
 * Stands in for the Go compiler, which takes minutes: it writes a file for each package that it is asked for, and names it as Go does, by
 * the last part that is no version.
 */
const compiler = `#!/bin/sh
[ ! -e "$0.broken" ] || { echo "no space left on device" >&2; exit 1; }
while [ "$1" != -o ]; do shift; done
output=$2; shift 2
for package; do
  name=\${package%/v[0-9]}
  case $output in */) echo "built $package" > "$output\${name##*/}" ;; *) echo "built $package" > "$output" ;; esac
done`;

let tools = "";
beforeEach(() => {
  place.cacheFolder = mkdtempSync(join(tmpdir(), "lab-cache-"));
  tools = mkdtempSync(join(tmpdir(), "lab-tools-"));
  writeFileSync(join(tools, "go"), compiler, { mode: 0o755 });
  vi.stubEnv("PATH", `${tools}:${process.env["PATH"]}`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(place.cacheFolder, { recursive: true });
  rmSync(tools, { recursive: true });
});

const unheard = (): void => undefined;

test("the folder of the binaries is named by the pins, and is the same each time", () => {
  expect(dirname(binariesFolder())).toBe(place.cacheFolder);
  expect(basename(binariesFolder())).toMatch(/^binaries-[0-9a-f]{12}$/);
  expect(binariesFolder()).toBe(binariesFolder());
});

test("all binaries are built into the cache, with a word at the beginning of each build", async () => {
  const steps: string[] = [];
  const folder = await provideBinaries(undefined, (name) => steps.push(name));

  expect(folder).toBe(binariesFolder());
  expect(readdirSync(folder).toSorted()).toEqual(binaryNames.toSorted());
  expect(readFileSync(join(folder, "kubelet"), "utf8")).toBe("built k8s.io/kubernetes/cmd/kubelet\n");
  expect(steps).toEqual([
    "Kubernetes, 1 of 4",
    "etcd, 2 of 4",
    "etcdctl, containerd, CNI plugins, crictl and the registry, 3 of 4",
    "runc, 4 of 4",
  ]);
});

test("what is in the cache is not built again", async () => {
  const folder = await provideBinaries(undefined, unheard);
  writeFileSync(join(tools, "go.broken"), "");

  expect(haveBinaries()).toBe(true);
  expect(await provideBinaries(undefined, unheard)).toBe(folder);
});

test("a build that fails leaves nothing that would be taken for whole, and the next starts anew", async () => {
  writeFileSync(join(tools, "go.broken"), "");
  await expect(provideBinaries(undefined, unheard)).rejects.toThrow("no space left on device");
  expect(haveBinaries()).toBe(false);
  writeFileSync(join(`${binariesFolder()}.part`, "torn"), "");
  rmSync(join(tools, "go.broken"));

  const folder = await provideBinaries(undefined, unheard);

  expect(existsSync(join(folder, "torn"))).toBe(false);
  expect(readdirSync(place.cacheFolder)).toEqual([basename(folder)]);
});

test("ready binaries are used where they are, also when the cache has its own, and stay out of it", async () => {
  const cached = await provideBinaries(undefined, unheard);
  const before = readdirSync(cached);

  expect(await provideBinaries(tools, unheard)).toBe(tools);
  expect(readdirSync(cached)).toEqual(before);
});

test("what a folder lacks is named", () => {
  for (const name of binaryNames.filter((binary) => !["etcd", "runc"].includes(binary))) writeFileSync(join(tools, name), "");
  expect(missingFrom(tools)).toEqual(["etcd", "runc"]);
  expect(missingFrom("/nowhere")).toEqual(binaryNames);
});

test("every binary is named once, and a host that installs one finds it", async () => {
  const { componentsOf } = await import("./components/index.ts");
  const { instanceOf } = await import("./instance.ts");
  const components = [...componentsOf(instanceOf({ name: "test", workers: 1 })).values()].flat();
  const installed = components
    .flatMap(({ files }) => Object.values(files))
    .flatMap((content) => ("binary" in content ? [content.binary] : []));
  expect(new Set(binaryNames).size).toBe(binaryNames.length);
  expect(installed.length).toBeGreaterThan(10);
  expect(installed.filter((name) => !binaryNames.includes(name))).toEqual([]);
});
