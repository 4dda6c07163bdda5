/**
 * The binaries that the guide downloads, built from the Go modules that binaries/go.mod and go.sum pin, once for a machine and a set of
 * pins.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "./instance.ts";
import { pinned } from "./pins.ts";
import { run } from "./run.ts";

/** Its go.mod pins all: what several binaries share is compiled once, which is a quarter of the whole. */
const module = join(import.meta.dirname, "binaries");

type Build = {
  packages: readonly string[];
  /** The name of the binary, where the package's last part is not it. */
  output?: string;
  cgo?: boolean;
  tags?: string;
  linkerFlags?: readonly string[];
};

const all = (prefix: string, ...names: readonly string[]): string[] => names.map((name) => `${prefix}/${name}`);

const kubernetes = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl"];

/** By the words in which progress is told. */
const builds = (): Record<string, Build> => ({
  Kubernetes: { packages: all("k8s.io/kubernetes/cmd", ...kubernetes), linkerFlags: kubernetesStamp() },
  etcd: { packages: ["go.etcd.io/etcd/server/v3"], output: "etcd" },
  "etcdctl, containerd, CNI plugins, crictl and the registry": {
    packages: [
      "go.etcd.io/etcd/etcdctl/v3",
      ...all("github.com/containerd/containerd/v2/cmd", "containerd", "containerd-shim-runc-v2", "ctr"),
      ...all("github.com/containernetworking/plugins/plugins", "main/bridge", "main/loopback", "ipam/host-local"),
      "sigs.k8s.io/cri-tools/cmd/crictl",
      "./registry",
    ],
    // What of containerd no Pod of the guide's needs, and takes time to compile.
    tags: "no_devmapper no_tracing no_zfs nri_no_wasm",
    linkerFlags: [`-X sigs.k8s.io/cri-tools/pkg/version.Version=${pinned("sigs.k8s.io/cri-tools")}`],
  },
  // Without the seccomp tag every Pod with a profile fails: "config provided but seccomp not supported".
  runc: {
    packages: ["github.com/opencontainers/runc"],
    cgo: true,
    tags: "seccomp netgo osusergo",
    linkerFlags: ["-linkmode external", "-extldflags -static"],
  },
});

/** The version that Kubernetes' binaries say they are; a plain build says v0.0.0, and a kubelet of that version registers oddly. */
function kubernetesStamp(): string[] {
  const version = pinned("k8s.io/kubernetes");
  const [major = "", minor = ""] = version.split(".");
  const values = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor, gitTreeState: "clean" };
  const packages = ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"];
  return packages.flatMap((path) => Object.entries(values).map(([name, value]) => `-X ${path}.${name}=${value}`));
}

export const binaryNames: readonly string[] = [
  ...kubernetes,
  "etcd",
  "etcdctl",
  "containerd",
  "containerd-shim-runc-v2",
  "ctr",
  "crictl",
  "bridge",
  "loopback",
  "host-local",
  "runc",
  "registry",
];

/** Where the binaries of these pins, built so, are kept. */
export function binariesFolder(): string {
  const hash = createHash("sha256").update(JSON.stringify(builds()));
  for (const file of ["go.mod", "go.sum", "registry/main.go"]) hash.update(readFileSync(join(module, file)));
  return join(cacheFolder, `binaries-${hash.digest("hex").slice(0, 12)}`);
}

export const haveBinaries = (): boolean => existsSync(binariesFolder());

/** Which binaries a folder lacks. */
export const missingFrom = (folder: string): string[] => binaryNames.filter((name) => !existsSync(join(folder, name)));

/**
 * Builds what is not there yet, into the cache.
 * @param ready LAB_BINARIES, a folder that holds the binaries already: it is used where it is, because the cache is for these pins alone
 * @param onStep hears what is built as its build begins
 */
export async function provideBinaries(ready: string | undefined, onStep: (name: string) => void): Promise<string> {
  if (ready !== undefined) return ready;
  const folder = binariesFolder();
  if (haveBinaries()) return folder;
  const partial = `${folder}.part`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  const wanted = Object.entries(builds());
  for (const [index, [name, wantedBuild]] of wanted.entries()) {
    onStep(`${name}, ${index + 1} of ${wanted.length}`);
    await build(wantedBuild, partial);
  }
  await rename(partial, folder);
  return folder;
}

/** A compiler or linker lives for seconds. The limit is for each of them; as many run as there are cores. */
const garbage = { GOGC: "off", GOMEMLIMIT: "2GiB" };

async function build({ packages, output, cgo = false, tags, linkerFlags = [] }: Build, folder: string): Promise<void> {
  // Nobody debugs these: without debugging information, and with a garbage collector that waits until memory is short, compiling takes a
  // quarter less.
  const command: [string, ...string[]] = ["go", "build", "-trimpath", "-gcflags=all=-dwarf=false"];
  command.push("-ldflags", ["-s", "-w", ...linkerFlags].join(" "));
  if (tags !== undefined) command.push("-tags", tags);
  command.push("-o", output === undefined ? `${folder}/` : join(folder, output), ...packages);
  await run(command, {
    endsWithUs: true,
    folder: module,
    environment: { CGO_ENABLED: cgo ? "1" : "0", GOFLAGS: "-mod=readonly", GOTOOLCHAIN: "auto", ...garbage },
  });
}
