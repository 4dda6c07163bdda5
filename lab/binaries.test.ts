import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { binariesFolder, binaryNames, haveBinaries, provideBinaries } from "./binaries.ts";

/** The cache of these tests, in place of the machine's, which others use. */
const place = vi.hoisted(() => ({ cacheFolder: "" }));
vi.mock("./instance.ts", async (original) => ({
  ...(await original<object>()),
  get cacheFolder() {
    return place.cacheFolder;
  },
}));

let ready = "";
beforeEach(() => {
  place.cacheFolder = mkdtempSync(join(tmpdir(), "lab-cache-"));
  ready = mkdtempSync(join(tmpdir(), "lab-binaries-"));
  for (const name of binaryNames) {
    writeFileSync(join(ready, name), `the binary ${name}`);
    chmodSync(join(ready, name), 0o755);
  }
});
afterEach(() => {
  rmSync(place.cacheFolder, { recursive: true });
  rmSync(ready, { recursive: true });
});

const steps: string[] = [];
const provide = () => provideBinaries(ready, (name) => void steps.push(name));

test("the folder of the binaries is named by the pins, and is the same each time", () => {
  expect(dirname(binariesFolder())).toBe(place.cacheFolder);
  expect(basename(binariesFolder())).toMatch(/^binaries-[0-9a-f]{12}$/);
  expect(binariesFolder()).toBe(binariesFolder());
});

test("ready binaries are taken as they are, and nothing is built", async () => {
  writeFileSync(join(ready, "README"), "not asked for");

  const folder = await provide();

  expect(folder).toBe(binariesFolder());
  expect(readdirSync(folder).toSorted()).toEqual([...binaryNames].toSorted());
  expect(readFileSync(join(folder, "kubelet"), "utf8")).toBe("the binary kubelet");
  expect(statSync(join(folder, "kubelet")).mode & 0o111).toBe(0o111);
  expect(readdirSync(place.cacheFolder)).toEqual([basename(folder)]);
  expect(steps).toEqual([]);
});

test("a folder of ready binaries that lacks some is refused with their names, and the cache stays without", async () => {
  for (const name of ["etcd", "runc", "host-local"]) unlinkSync(join(ready, name));
  await expect(provide()).rejects.toMatchObject({
    name: "SettingsError",
    problems: [`LAB_BINARIES="${ready}": it lacks etcd, host-local, runc.`],
  });
  expect(haveBinaries()).toBe(false);
});

test("what an interrupted attempt left in the cache does not stay", async () => {
  const [missing] = binaryNames;
  unlinkSync(join(ready, missing as string));
  await expect(provide()).rejects.toThrow("it lacks");
  writeFileSync(join(ready, missing as string), "");
  writeFileSync(join(place.cacheFolder, "unrelated"), "");

  const folder = await provide();

  expect(existsSync(`${folder}.part`)).toBe(false);
  expect(existsSync(join(place.cacheFolder, "unrelated"))).toBe(true);
});

test("what is in the cache is used, whatever LAB_BINARIES holds by then", async () => {
  const folder = await provide();
  unlinkSync(join(ready, "etcd"));
  expect(haveBinaries()).toBe(true);
  expect(await provide()).toBe(folder);
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
