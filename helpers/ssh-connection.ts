/**
 * Opening an SSH connection. The host's key is always verified, and every way in which this can fail has its own sentence.
 */
import { readFileSync } from "node:fs";
import ssh2, { type Client, type ServerHostKeyAlgorithm } from "ssh2";
import { InconclusiveError, reasonOf } from "./errors.ts";
import { isTrusted, knownKeys, type KnownKeys } from "./known-hosts.ts";
import { identityOf } from "./ssh-identity.ts";
import { explainRefusal, type ConnectError, type Progress } from "./ssh-refusal.ts";

export type SSHTarget = {
  /** What the host calls itself: `server`, `node-0`; or an IP address, when that is all that is known. */
  name: string;
  /** Where it is reached: an IP address or a name that resolves. */
  address: string;
  port: number;
  user: string;
  privateKeyPath?: string | undefined;
  /** The socket of an ssh-agent, as SSH_AUTH_SOCK has it. */
  agentSocket?: string | undefined;
  knownHostsPath: string;
  /** For TCP, key exchange and login together. */
  connectTimeoutMs: number;
};

/** What sshd presents for a key type of known_hosts. RSA keys can sign in three ways, the last of them for sshd older than 7.2. */
const algorithmsOfType: Readonly<Record<string, readonly ServerHostKeyAlgorithm[]>> = {
  "ssh-ed25519": ["ssh-ed25519"],
  "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
  "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
  "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
  "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"],
};

/** @throws InconclusiveError with host, address, what happened and the remedy */
export async function connect(target: SSHTarget): Promise<Client> {
  const identity = identityOf(target);
  const known = keysOf(target);
  // Asking for the types that are known, and for no other, keeps sshd from presenting a better key that nobody has noted.
  const serverHostKey = [...new Set(known.trusted.flatMap(({ type }) => algorithmsOfType[type] ?? []))];
  const client = new ssh2.Client();
  const progress: Progress = { accepted: false };
  try {
    await new Promise<void>((resolve, reject) => {
      client.on("connect", () => {
        progress.accepted = true;
        // A command is several small packets each way, and with Nagle's algorithm each of them waits 40 ms for an acknowledgement.
        client.setNoDelay(true);
      });
      client.on("ready", resolve);
      client.on("close", () => reject(new Error("closed")));
      client.on("error", (error: Error & { level?: string }) => {
        // An agent that does not answer is no reason to give up: the keys that are left are tried.
        if (error.level === "agent") progress.agentProblem = error.message;
        else reject(error);
      });
      client.connect({
        host: target.address,
        port: target.port,
        username: target.user,
        authHandler: identity.methods,
        readyTimeout: target.connectTimeoutMs,
        keepaliveInterval: 5000,
        keepaliveCountMax: 3,
        hostVerifier: (key: Buffer) => isTrusted((progress.presented = key), known),
        ...(serverHostKey.length > 0 && { algorithms: { serverHostKey } }),
      });
    });
    return client;
  } catch (error) {
    client.destroy();
    throw explainRefusal(target, error as ConnectError, { progress, known, identity });
  }
}

/** The keys noted for the address; where there are none, those noted for the host's name, which a person may have used with ssh. */
function keysOf({ name, address, port, knownHostsPath }: SSHTarget): KnownKeys {
  const text = readKnownHosts(knownHostsPath);
  const ofAddress = knownKeys(text, address, port);
  const ofName = knownKeys(text, name, port);
  return {
    trusted: ofAddress.trusted.length > 0 ? ofAddress.trusted : ofName.trusted,
    revoked: [...ofAddress.revoked, ...ofName.revoked],
    certAuthorityLines: [...new Set([...ofAddress.certAuthorityLines, ...ofName.certAuthorityLines])],
  };
}

function readKnownHosts(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw new InconclusiveError(
      `${path}, which holds the keys of the hosts, cannot be read: ${reasonOf(error)}. See SMOKE_SSH_KNOWN_HOSTS.`,
    );
  }
}
