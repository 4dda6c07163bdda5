import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SettingsError } from "../helpers/errors.ts";
import { chosenInstance, definitionHash, definitionPathOf, instanceOf, readDefinition } from "./instance.ts";

const problemsOf = (environment: Record<string, string>, workers?: number): readonly string[] => {
  try {
    chosenInstance(environment, workers);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(SettingsError);
    return (error as SettingsError).problems;
  }
};

test("everything that an instance has on this machine is named after it", () => {
  const instance = instanceOf({ name: "lab2", subnet: "10.91.7.0/24", workers: 1 });
  expect(instance).toMatchObject({
    folder: "/var/lib/hard-way-lab/lab2",
    link: "hwl-lab2",
    kubeconfig: "/var/lib/hard-way-lab/lab2/pki/admin.kubeconfig",
    topology: { subnet: "10.91.7.0/24", workers: [{ name: "node-0" }] },
  });
  expect([instance.namespaceOf(), instance.namespaceOf("node-0")]).toEqual(["hwl-lab2-bridge", "hwl-lab2-node-0"]);
  expect([instance.cgroupOf(), instance.cgroupOf("node-0")]).toEqual(["hard-way-lab/lab2", "hard-way-lab/lab2/node-0"]);
  expect(instance.rootOf("server")).toBe("/var/lib/hard-way-lab/lab2/hosts/server/root");
});

test("two instances share no folder, link, namespace, cgroup or subnet", () => {
  const [one, other] = ["lab", "lab2"].map((name) => {
    const instance = instanceOf({ name, workers: 2 });
    return [
      instance.folder,
      instance.link,
      instance.topology.subnet,
      instance.namespaceOf(),
      instance.namespaceOf("server"),
      instance.cgroupOf(),
    ];
  });
  expect(one?.filter((name) => other?.includes(name))).toEqual([]);
});

test("without a wish there is one instance, called lab, with two workers", () => {
  const { name, topology } = chosenInstance({});
  expect(name).toBe("lab");
  expect(topology.workers).toHaveLength(2);
  expect(chosenInstance({ LAB_NAME: "", LAB_SUBNET: "" })).toMatchObject({ name, topology });
});

test("name, subnet and number of workers can be chosen, to their limits", () => {
  const { link, topology } = chosenInstance({ LAB_NAME: "a123456789", LAB_SUBNET: "192.168.77.0/24" }, 16);
  expect(link.length, "an interface's name has at most 15 characters").toBeLessThanOrEqual(15);
  expect(topology).toMatchObject({ subnet: "192.168.77.0/24", gateway: "192.168.77.1" });
  expect(topology.workers).toHaveLength(16);
});

test.for(["Lab", "1lab", "lab-2", "lab/../x", "a1234567890"])("the name %s is refused", (name) => {
  expect(problemsOf({ LAB_NAME: name })).toEqual([`LAB_NAME="${name}": expected up to 10 small letters and digits, such as lab2.`]);
});

test.for(["10.91.7.0/16", "10.91.7.1/24", "10.91.7.0", "10.91.256.0/24", "fd00::/64", "all"])("the subnet %s is refused", (subnet) => {
  expect(problemsOf({ LAB_SUBNET: subnet })).toEqual([`LAB_SUBNET="${subnet}": expected a /24, such as 10.91.7.0/24.`]);
});

test.for([
  ["10.200.7.0/24", "10.200.0.0/16"],
  ["10.32.0.0/24", "10.32.0.0/24"],
] as const)("the subnet %s is refused, because the lab needs %s itself", ([subnet, range]) => {
  expect(problemsOf({ LAB_SUBNET: subnet })).toEqual([
    `LAB_SUBNET="${subnet}": it overlaps ${range}, where the lab's Pods and Services have their addresses.`,
  ]);
});

test.for([0, 17, 1.5, NaN])("%d workers are refused", (workers) => {
  expect(problemsOf({}, workers)).toEqual(["--workers: expected a number from 1 to 16."]);
});

test("everything that is wrong is told at once", () => {
  expect(problemsOf({ LAB_NAME: "Lab", LAB_SUBNET: "all" }, 0)).toHaveLength(3);
});

test("an instance that was never completed has no definition", () => {
  expect(definitionPathOf("never")).toBe("/var/lib/hard-way-lab/never/definition.json");
  expect(readDefinition("never")).toBeUndefined();
});

test("a definition changes with the shape, and with nothing that is not the lab's", () => {
  const hash = definitionHash({ subnet: "10.91.7.0/24", workers: 2 });
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
  expect(definitionHash({ subnet: "10.91.7.0/24", workers: 2 })).toBe(hash);
  expect(definitionHash({ subnet: "10.91.7.0/24", workers: 3 })).not.toBe(hash);
  expect(definitionHash({ subnet: "10.91.8.0/24", workers: 2 })).not.toBe(hash);
});

test("ready binaries make a definition of their own, which changes when one of them is replaced", () => {
  const shape = { subnet: "10.91.7.0/24", workers: 2 };
  const ready = mkdtempSync(join(tmpdir(), "lab-binaries-"));
  writeFileSync(join(ready, "kubelet"), "");
  const one = definitionHash({ ...shape, ready });
  const same = definitionHash({ ...shape, ready });
  utimesSync(join(ready, "kubelet"), 1, 1);
  const other = definitionHash({ ...shape, ready });
  rmSync(ready, { recursive: true });

  expect(same).toBe(one);
  expect(new Set([definitionHash(shape), one, other]).size).toBe(3);
});
