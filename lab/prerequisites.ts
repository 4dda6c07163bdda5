/**
 * What the lab needs of this machine: everything that is missing is found at once, and before anything is changed.
 */
import { existsSync } from "node:fs";
import { treeFolder } from "./base.ts";
import { haveBinaries, missingFrom } from "./binaries.ts";
import { run, succeeds } from "./run.ts";

/** This machine, as far as the lab asks. */
export type Machine = {
  platform: string;
  architecture: string;
  isRoot: boolean;
  /** What `go version` says; empty without Go. */
  goVersion: string;
  /** Whether a file is there; so are programs looked up, because PATH may lack /usr/sbin. */
  has: (path: string) => boolean;
  hasApt: boolean;
};

/** What has to be made first, because the cache does not have it. */
type Work = { builds: boolean; debootstraps: boolean };

type Wishes = {
  /** LAB_BINARIES */
  ready?: string | undefined;
  /** LAB_INSTALL */
  install?: string | undefined;
};

type Tool = { file: string; debianPackage: string };

const tools: readonly Tool[] = [
  { file: "systemd-nspawn", debianPackage: "systemd-container" },
  { file: "ip", debianPackage: "iproute2" },
  { file: "openssl", debianPackage: "openssl" },
  { file: "ssh", debianPackage: "openssh-client" },
  { file: "nsenter", debianPackage: "util-linux" },
  { file: "mount", debianPackage: "mount" },
  { file: "tar", debianPackage: "tar" },
  // It compiles the process that holds a Pod's namespaces, and runc.
  { file: "gcc", debianPackage: "gcc libc6-dev" },
];
const treeTools: readonly Tool[] = [{ file: "mmdebstrap", debianPackage: "mmdebstrap" }];
const buildTools: readonly Tool[] = [{ file: "git", debianPackage: "git" }];

const folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
const isInstalled = ({ has }: Machine, file: string): boolean => folders.some((folder) => has(`${folder}/${file}`));

/** The machine that this process runs on. */
export async function thisMachine(): Promise<Machine> {
  return {
    platform: process.platform,
    architecture: process.arch,
    isRoot: process.getuid?.() === 0,
    goVersion: (await run(["go", "version"]).catch(() => "")).trim(),
    has: existsSync,
    hasApt: await succeeds(["apt-get", "--version"]),
  };
}

export function workAhead(ready: string | undefined): Work {
  return {
    builds: ready === undefined && !haveBinaries(),
    debootstraps: !existsSync(treeFolder("host")) || !existsSync(treeFolder("nginx")),
  };
}

/** What stands in the way, each with its remedy, and the Debian packages that `installPackages` can add when nothing does. */
export function prerequisites(machine: Machine, work: Work, { ready, install }: Wishes): { problems: string[]; packages: string[] } {
  const packages = machine.platform === "linux" ? missingPackages(machine, work) : [];
  const problems = [
    ...systemProblems(machine),
    ...(work.builds ? goProblems(machine) : []),
    ...readyProblems(ready),
    ...installProblems(install),
  ];
  const isInstalledByUs = !install && machine.hasApt && machine.isRoot;
  if (packages.length > 0 && !isInstalledByUs)
    problems.push(`The lab needs Debian packages that are not installed: ${installCommand(packages).join(" ")}`);
  return { problems, packages };
}

function missingPackages(machine: Machine, { builds, debootstraps }: Work): string[] {
  const needed = [...tools, ...(debootstraps ? treeTools : []), ...(builds ? buildTools : [])];
  const packages = needed.filter(({ file }) => !isInstalled(machine, file)).flatMap(({ debianPackage }) => debianPackage.split(" "));
  // runc is linked with libseccomp, which is a header and an archive and no program.
  if (builds && !machine.has("/usr/include/seccomp.h")) packages.push("libseccomp-dev");
  return packages;
}

function systemProblems({ platform, architecture, isRoot }: Machine): string[] {
  const problems: string[] = [];
  if (platform !== "linux" || architecture !== "x64")
    problems.push(`The lab boots on Linux, amd64 (to Node: linux, x64); this machine is ${platform}, ${architecture}.`);
  if (!isRoot) problems.push("The lab needs root, for namespaces, mounts and cgroups: sudo npm run lab -- up");
  return problems;
}

/** Since 1.21 a Go that is too old fetches the toolchain that a go.mod asks for; the build lets it. */
function goProblems({ goVersion }: Machine): string[] {
  const minor = Number(/go1\.(\d+)/.exec(goVersion)?.[1] ?? 0);
  if (minor >= 21) return [];
  const seen = goVersion === "" ? "there is none in PATH" : `"go version" says "${goVersion}"`;
  return [`The lab builds Kubernetes with Go 1.26 or newer; ${seen}. Install it, or name a folder of ready binaries in LAB_BINARIES.`];
}

function readyProblems(ready: string | undefined): string[] {
  const missing = ready === undefined ? [] : missingFrom(ready);
  return missing.length > 0 ? [`LAB_BINARIES="${ready}": it lacks ${missing.join(", ")}.`] : [];
}

/** Whoever writes `no` or `false` wants nothing installed: to take it for unset would install it. */
const installProblems = (install: string | undefined): string[] =>
  !install || install === "never"
    ? []
    : [`LAB_INSTALL="${install}": expected never, so that missing Debian packages are only named, or nothing, so that they are installed.`];

const installCommand = (packages: readonly string[]): [string, ...string[]] => [
  "apt-get",
  "install",
  "--yes",
  "--no-install-recommends",
  ...packages,
];

/** Installs Debian packages, as root. */
export async function installPackages(packages: readonly string[]): Promise<void> {
  const quiet = { environment: { DEBIAN_FRONTEND: "noninteractive" } };
  await run(["apt-get", "update", "--quiet"], quiet);
  await run(installCommand(packages), quiet);
}
