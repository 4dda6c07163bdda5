/**
 * What the lab needs of this machine: everything that is missing is said at once, and before anything is changed.
 */
import { existsSync } from "node:fs";
import { SettingsError } from "../helpers/errors.ts";
import { treeFolder } from "./base.ts";
import { haveBinaries } from "./binaries.ts";
import { run, succeeds } from "./run.ts";

type Environment = Readonly<Record<string, string | undefined>>;
type Tool = { file: string; debianPackage: string };

/** Found by their files, because looking them up in PATH would miss /usr/sbin for some. */
const tools: readonly Tool[] = [
  { file: "systemd-nspawn", debianPackage: "systemd-container" },
  { file: "ip", debianPackage: "iproute2" },
  { file: "openssl", debianPackage: "openssl" },
  { file: "ssh-keygen", debianPackage: "openssh-client" },
  { file: "nsenter", debianPackage: "util-linux" },
  { file: "tar", debianPackage: "tar" },
];
const treeTools: readonly Tool[] = [{ file: "mmdebstrap", debianPackage: "mmdebstrap" }];
const compiler: readonly Tool[] = [{ file: "gcc", debianPackage: "gcc libc6-dev" }];
const buildTools: readonly Tool[] = [{ file: "git", debianPackage: "git" }];

const folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
const isInstalled = ({ file }: Tool): boolean => folders.some((folder) => existsSync(`${folder}/${file}`));

/** Debian packages that have to be installed for what is not yet in the cache. */
function missingPackages(environment: Environment): string[] {
  const builds = !haveBinaries() && !environment["LAB_BINARIES"];
  const needed = [
    ...tools,
    ...(existsSync(treeFolder("host")) && existsSync(treeFolder("nginx")) ? [] : treeTools),
    ...(builds ? [...buildTools, ...compiler] : compiler),
  ];
  const packages = needed.filter((tool) => !isInstalled(tool)).flatMap(({ debianPackage }) => debianPackage.split(" "));
  // runc is linked with libseccomp, which is a header and an archive and no program.
  if (builds && !existsSync("/usr/include/seccomp.h")) packages.push("libseccomp-dev");
  return [...new Set(packages)];
}

/** What cannot be installed for anybody. */
async function lacks(environment: Environment): Promise<string[]> {
  const problems: string[] = [];
  if (process.platform !== "linux" || process.arch !== "x64")
    problems.push(`it boots on Linux, amd64; this is ${process.platform}, ${process.arch}.`);
  if (process.getuid?.() !== 0) problems.push("it needs root, for namespaces, mounts and cgroups: sudo npm run lab -- up.");
  if (!haveBinaries() && !environment["LAB_BINARIES"] && !(await hasGo())) {
    problems.push(
      "it builds Kubernetes with Go 1.26 or newer, which is not in PATH: install it, or name a folder of ready binaries in LAB_BINARIES.",
    );
  }
  return problems;
}

/** Since 1.21 a Go that is too old fetches the toolchain that a go.mod asks for. */
async function hasGo(): Promise<boolean> {
  return (await run(["go", "version"]).catch(() => "")).match(/go1\.(2[1-9]|[3-9]\d)/) !== null;
}

/**
 * Makes sure that everything is there.
 * @throws SettingsError that names all that is missing
 */
export async function providePrerequisites(environment: Environment, say: (line: string) => void): Promise<void> {
  const problems = await lacks(environment);
  const packages = process.platform === "linux" ? missingPackages(environment) : [];
  const command = `apt-get install --yes --no-install-recommends ${packages.join(" ")}`;
  const canInstall =
    problems.length === 0 && environment["LAB_INSTALL"] !== "never" && (await succeeds(["sh", "-c", "command -v apt-get"]));
  if (packages.length > 0 && !canInstall) problems.push(`it needs the Debian packages ${packages.join(", ")}: ${command}`);
  if (problems.length > 0) throw new SettingsError(problems.map((problem) => `The lab cannot be booted here: ${problem}`));
  if (packages.length === 0) return;
  say(`installing what is missing: ${command}`);
  const quiet = { environment: { DEBIAN_FRONTEND: "noninteractive" } };
  await run(["apt-get", "update", "--quiet"], quiet);
  await run(["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", ...packages], quiet);
}
