/**
 * Why an SSH connection was not opened, and what to do: one sentence for each way in which it can fail.
 */
import { InconclusiveError, reasonOf } from "./errors.ts";
import { fingerprint, holdsKey, isTrusted, nameInKnownHosts, typeOfKey, type KnownKeys } from "./known-hosts.ts";
import { sshLine } from "./remote-command.ts";
import type { SSHTarget } from "./ssh-connection.ts";
import type { Identity } from "./ssh-identity.ts";

/** Where a connection stands, for the sentence when it fails. */
export type Progress = { accepted: boolean; presented?: Buffer; agentProblem?: string };

/** What ssh2 says: a level of its own, or the code of the system. */
export type ConnectError = Error & { level?: string; code?: string };

/** The sentence for a connection that could not be opened. */
export function explainRefusal(
  target: SSHTarget,
  error: ConnectError,
  { progress, known, identity }: { progress: Progress; known: KnownKeys; identity: Identity },
): InconclusiveError {
  const { name, address, port, user } = target;
  const { what, remedy, byHand = [] } = hostKeyProblem(target, error, progress, known) ?? connectProblem(target, error, progress, identity);
  return new InconclusiveError(`${name}: cannot open SSH to ${user}@${address}:${port}: ${what}. ${remedy}`, {
    cause: error,
    byHand: [...byHand, sshLine(target, "hostname")],
  });
}

type Problem = { what: string; remedy: string; byHand?: readonly string[] };

function hostKeyProblem(
  { address, port, knownHostsPath }: SSHTarget,
  error: Error,
  { presented }: Progress,
  known: KnownKeys,
): Problem | undefined {
  const types = [...new Set(known.trusted.map(({ type }) => type))].join(", ");
  const scan = `ssh-keyscan -p ${port} ${address} >> ${knownHostsPath}`;
  if (/no matching host key/.test(error.message) && types !== "") {
    return {
      what: `it has no host key of a type that ${knownHostsPath} holds for it (${types})`,
      remedy: `After checking that it is the right machine, add its other keys.`,
      byHand: [scan],
    };
  }
  if (presented === undefined || isTrusted(presented, known)) return undefined;
  const seen = `${typeOfKey(presented)} ${fingerprint(presented)}`;
  if (holdsKey(known.revoked, presented)) {
    return {
      what: `its host key ${seen} is marked @revoked in ${knownHostsPath}`,
      remedy: `Do not trust this machine before it has a new key.`,
    };
  }
  if (known.trusted.length === 0) {
    const authority =
      known.certAuthorityLines.length === 0
        ? ""
        : ` (line ${known.certAuthorityLines.join(", ")} trusts a certificate authority for it, but host certificates are not supported here)`;
    return {
      what: `its host key ${seen} is unknown: ${knownHostsPath} has no key for ${nameInKnownHosts(address, port)}${authority}`,
      remedy: `After checking that fingerprint on the host, add its keys.`,
      byHand: [scan],
    };
  }
  const expected = known.trusted.map(({ type, blob, line }) => `${type} ${fingerprint(blob)} on line ${line}`).join(", ");
  return {
    what: `its host key is ${seen}, but ${knownHostsPath} has ${expected}. It may be another machine, or someone in between`,
    remedy: `Only when you know that the host was installed anew, forget the old key and add the new one.`,
    byHand: [`ssh-keygen -R '${nameInKnownHosts(address, port)}' -f ${knownHostsPath}`, scan],
  };
}

const remediesOfCode: Readonly<Record<string, readonly [what: string, remedy: string]>> = {
  ECONNREFUSED: ["the connection was refused", "Does sshd run there, and on this port? See SMOKE_HOSTS and SMOKE_SSH_PORT."],
  ENOTFOUND: ["the name does not resolve", "Set its address in SMOKE_HOSTS (name=address), or add the name to /etc/hosts or DNS."],
  EAI_AGAIN: [
    "the name could not be resolved just now",
    "Does this machine's DNS work? An address in SMOKE_HOSTS (name=address) needs none.",
  ],
  EHOSTUNREACH: ["no route leads to the host, or it is down", "Is it up, and is its address in SMOKE_HOSTS right?"],
  ENETUNREACH: ["this machine has no route to that network", "Is the address in SMOKE_HOSTS right, and is a VPN needed?"],
  ETIMEDOUT: ["nothing answered", "Is it up, is its address in SMOKE_HOSTS right, and does a firewall let this port through?"],
};

function connectProblem(
  { address, port, user, privateKeyPath, connectTimeoutMs }: SSHTarget,
  error: ConnectError,
  progress: Progress,
  identity: Identity,
): Problem {
  const [what, remedy] = remediesOfCode[error.code ?? ""] ?? [];
  if (what !== undefined && remedy !== undefined) return { what, remedy };
  if (error.level === "client-authentication") {
    const agent = progress.agentProblem === undefined ? "" : `; the agent said: ${progress.agentProblem}`;
    return {
      what: `sshd refused to log in ${user} with ${identity.described}${agent}`,
      remedy: `Is the public key in that user's authorized_keys, and does sshd_config let ${user} in (PermitRootLogin)? See SMOKE_SSH_USER and SMOKE_SSH_KEY.`,
      byHand: [`ssh-copy-id${privateKeyPath === undefined ? "" : ` -i ${privateKeyPath}`} -p ${port} ${user}@${address}`],
    };
  }
  if (error.level === "client-timeout") {
    const after = `within ${connectTimeoutMs / 1000} s`;
    if (!progress.accepted) return { what: `nothing answered ${after}`, remedy: remediesOfCode["ETIMEDOUT"]?.[1] as string };
    return {
      what: `the port is open, but the SSH login was not over ${after}`,
      remedy: `Is it sshd that listens there? A slow one may need more SMOKE_SSH_TIMEOUT_SECONDS (UseDNS no speeds it up).`,
    };
  }
  if (/no matching/.test(error.message)) {
    return {
      what: `sshd and this client have no algorithm in common (${error.message})`,
      remedy: `Let sshd_config offer curve25519-sha256 and aes-ctr too.`,
    };
  }
  return {
    what: `the connection was closed before the login was over (${reasonOf(error)})`,
    remedy: `Is it sshd that listens there? Its journal says why; MaxStartups, PerSourcePenalties and hosts.deny close connections like this.`,
  };
}
