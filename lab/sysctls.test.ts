import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { applySysctls, restoreSysctls, wantedSysctls } from "./sysctls.ts";

const asTheyWere: Readonly<Record<string, string>> = {
  "vm/overcommit_memory": "0\n",
  "vm/panic_on_oom": "0\n",
  "kernel/panic": "1\n",
  "kernel/panic_on_oops": "0\n",
  "kernel/keys/root_maxkeys": "1000000\n",
  "kernel/keys/root_maxbytes": "25000000\n",
  "fs/inotify/max_user_instances": "128\n",
  "fs/inotify/max_user_watches": "1048576\n",
};

/** Files in place of the machine's own settings, which are not for tests to change. */
let places = { record: "", settings: "" };
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), "lab-sysctls-"));
  places = { record: join(folder, "state/sysctls.json"), settings: folder };
  for (const [name, value] of Object.entries(asTheyWere)) set(name, value);
});
afterEach(() => rmSync(places.settings, { recursive: true }));

function set(name: string, value: string): void {
  const path = join(places.settings, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, value);
}
const seen = (): Record<string, string> =>
  Object.fromEntries(wantedSysctls.map((name) => [name, readFileSync(join(places.settings, name), "utf8").trim()]));
const before = Object.fromEntries(Object.entries(asTheyWere).map(([name, value]) => [name, value.trim()]));

test("what has to change is changed, shown and recorded; what is large enough stays", async () => {
  const shown = await applySysctls(places);

  expect(shown).toEqual([
    "sysctl vm.overcommit_memory: 0 -> 1 (restored by `down`)",
    "sysctl kernel.panic: 1 -> 10 (restored by `down`)",
    "sysctl kernel.panic_on_oops: 0 -> 1 (restored by `down`)",
    "sysctl fs.inotify.max_user_instances: 128 -> 1024 (restored by `down`)",
  ]);
  expect(seen()).toEqual({
    ...before,
    "vm/overcommit_memory": "1",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "fs/inotify/max_user_instances": "1024",
  });
});

test("restoring puts back what was, shows it, and forgets it", async () => {
  await applySysctls(places);
  const shown = await restoreSysctls(places);

  expect(shown).toContain("sysctl kernel.panic: restored to 1");
  expect(shown).toHaveLength(4);
  expect(seen()).toEqual(before);
  expect(existsSync(places.record)).toBe(false);
  expect(await restoreSysctls(places)).toEqual([]);
});

test("a second lab changes nothing, and does not take the first one's settings for the machine's", async () => {
  await applySysctls(places);
  expect(await applySysctls(places)).toEqual([]);
  await restoreSysctls(places);
  expect(seen()).toEqual(before);
});

test("what was set while a lab was up is set again by the next, and what was before the first is restored", async () => {
  await applySysctls(places);
  set("kernel/panic", "77");
  expect(await applySysctls(places)).toEqual(["sysctl kernel.panic: 77 -> 10 (restored by `down`)"]);
  await restoreSysctls(places);
  expect(seen()["kernel/panic"]).toBe("1");
});
