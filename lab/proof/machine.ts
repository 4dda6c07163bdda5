/**
 * What measured times hold for.
 */
import { existsSync, readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { pinned } from "../pins.ts";
import { run } from "../run.ts";
import { kubectl } from "../healthy.ts";
import type { Instance } from "../instance.ts";

const modules = {
  etcd: "go.etcd.io/etcd/server/v3",
  containerd: "github.com/containerd/containerd/v2",
  runc: "github.com/opencontainers/runc",
  "CNI plugins": "github.com/containernetworking/plugins",
};

/** The versions of what the lab runs beside Kubernetes. @param ready LAB_BINARIES: of binaries from elsewhere the pins say nothing */
export const versionsBeside = (ready: string | undefined): string =>
  ready
    ? "the rest as in LAB_BINARIES"
    : Object.entries(modules)
        .map(([name, path]) => `${name} v${pinned(path)}`)
        .join(", ");

/** Machine and versions, by name, as a page lists them. */
export async function machineFacts(instance: Instance, command: string): Promise<Record<string, string>> {
  const version = JSON.parse(await run(kubectl(instance, "version", "--output=json"))) as { serverVersion: { gitVersion: string } };
  const vitest = JSON.parse(readFileSync(new URL("../../node_modules/vitest/package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  const cgroup = existsSync("/sys/fs/cgroup/cgroup.controllers") ? "v2" : "v1";
  return {
    Machine: `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}, ${(totalmem() / 1024 ** 3).toFixed(0)} GiB, Linux ${release()}, cgroup ${cgroup}`,
    Lab: `Kubernetes ${version.serverVersion.gitVersion}, ${versionsBeside(process.env["LAB_BINARIES"])}, ${instance.topology.workers.length} workers`,
    "Run by": `Node ${process.version}, Vitest ${vitest.version}`,
    Date: new Date().toISOString().slice(0, 10),
    Command: `\`${command}\``,
  };
}
