import { expect, test } from "vitest";
import { versionsBeside } from "./machine.ts";

test.for([undefined, ""])("what runs beside Kubernetes has the versions of its pins, with LAB_BINARIES=%s", (ready) => {
  expect(versionsBeside(ready)).toMatch(/^etcd v3\.\S+, containerd v2\.\S+, runc v1\.\S+, CNI plugins v1\.[\d.]+$/);
});

test("of binaries that were not built here no version is claimed", () => {
  expect(versionsBeside("/opt/binaries")).toBe("the rest as in LAB_BINARIES");
});
