import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SettingsError } from "../../helpers/errors.ts";
import { healNoted, injectNoted } from "./in-force.ts";

const place = { name: "test", folder: "" };
beforeEach(() => void (place.folder = mkdtempSync(join(tmpdir(), "lab-in-force-"))));
afterEach(() => rmSync(place.folder, { recursive: true }));

const done = async (): Promise<void> => undefined;
const refused = async (): Promise<never> => {
  throw new Error("this must not be done");
};
/** What the lab's folder holds, by file. */
const noted = () => Object.fromEntries(readdirSync(place.folder).map((name) => [name, readFileSync(join(place.folder, name), "utf8")]));
const noteOf = (fault: string) => ({ "fault-in-force": fault });

/** @returns the problem that is refused, as one sentence */
const problemOf = async (attempt: Promise<void>): Promise<string | undefined> => {
  const error: unknown = await attempt.catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(SettingsError);
  return (error as SettingsError).problems[0];
};

test("a fault is noted before it is brought about, and until it is healed", async () => {
  const seen: unknown[] = [];
  await injectNoted(place, "etcd-stopped", async () => seen.push(noted()));
  await healNoted(place, "etcd-stopped", async () => seen.push(noted()));

  expect(seen).toEqual([noteOf("etcd-stopped"), noteOf("etcd-stopped")]);
  expect(noted()).toEqual({});
});

test.for(["etcdctl-missing", "etcd-stopped"])("while etcd-stopped is in force, %s is refused with what ends it", async (fault) => {
  await injectNoted(place, "etcd-stopped", done);

  expect(await problemOf(injectNoted(place, fault, refused))).toBe(
    `"${fault}" cannot be brought about on the lab "test", where etcd-stopped is in force. End that first: npm run lab -- heal etcd-stopped`,
  );
  expect(noted()).toEqual(noteOf("etcd-stopped"));
});

test("of two faults at the same time one is brought about", async () => {
  const both = await Promise.allSettled(["etcdctl-missing", "etcd-stopped"].map((fault) => injectNoted(place, fault, done)));

  expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
});

test("only the fault that is in force is healed", async () => {
  await injectNoted(place, "etcd-stopped", done);

  expect(await problemOf(healNoted(place, "etcdctl-missing", refused))).toBe(
    `"etcdctl-missing" cannot be healed on the lab "test", where etcd-stopped is in force. End that one: npm run lab -- heal etcd-stopped`,
  );
  expect(noted()).toEqual(noteOf("etcd-stopped"));
});

test("where none is in force, none is healed", async () => {
  expect(await problemOf(healNoted(place, "etcd-stopped", refused))).toBe(
    `"etcd-stopped" cannot be healed on the lab "test", where "npm run lab -- fault" has brought none about. ` +
      "If the lab misbehaves, build it anew: npm run lab -- down && npm run lab -- up",
  );
});

test("a fault that came about by half, or would not heal, stays noted, and is healed at last", async () => {
  const breaks = () => Promise.reject(new Error("node-1 does not answer"));

  await expect(injectNoted(place, "etcd-stopped", breaks)).rejects.toThrow(
    "etcd-stopped was not brought about, or not whole: node-1 does not answer\nEnd it: npm run lab -- heal etcd-stopped",
  );
  expect(noted()).toEqual(noteOf("etcd-stopped"));
  await expect(healNoted(place, "etcd-stopped", breaks)).rejects.toThrow(
    "etcd-stopped is still in force: node-1 does not answer\nTry again: npm run lab -- heal etcd-stopped",
  );
  expect(noted()).toEqual(noteOf("etcd-stopped"));
  await healNoted(place, "etcd-stopped", done);
  expect(noted()).toEqual({});
});
