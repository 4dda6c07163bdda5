/**
 * What keeps us from a host. The message itself tells.
 */
import { guide } from "../checks.ts";
import type { Rule } from "../model.ts";
import { toldByMessage } from "../saying.ts";

const ssh = (
  id: string,
  problem: RegExp,
  what: (host: string, whom: string) => string,
  mend: (host: string, whom: string) => string,
): Rule =>
  // At the beginning of a line: that SSH is out of order as well is told in the middle of other messages.
  toldByMessage(
    { id, saying: new RegExp(`^(\\S+): cannot open SSH to (\\S+): .*${problem.source}.*`, "m"), guide: guide.machines },
    ([host = "", whom = ""]) => ({ what: what(host, whom), mend: mend(host, whom) }),
  );

export const sshRules: readonly Rule[] = [
  ssh(
    "ssh-refused",
    /the connection was refused/,
    (host, whom) => `sshd does not run on ${host}: ${whom} refuses the connection`,
    (host) => `on the console of ${host}: systemctl start ssh`,
  ),
  ssh(
    "ssh-host-key-changed",
    /its host key is .* but .* has/,
    (host, whom) => `the SSH host key of ${host} is not the one that is known for ${whom}`,
    (host) => `only when you know that ${host} was installed anew, ssh-keygen -R its address; below are the lines`,
  ),
  ssh(
    "ssh-host-key-unknown",
    /is unknown/,
    (host, whom) => `the SSH host key of ${host} is unknown here (${whom})`,
    () => "compare its fingerprint on the host, and add it with the ssh-keyscan line below",
  ),
  ssh(
    "ssh-login-refused",
    /sshd refused to log in/,
    (host, whom) => `sshd on ${host} does not let ${whom.split("@")[0]} in`,
    (_host, whom) => `ssh-copy-id ${whom.replace(/:\d+$/, "")}; PermitRootLogin prohibit-password in /etc/ssh/sshd_config`,
  ),
  ssh(
    "ssh-unreachable",
    /(?:nothing answered|no route|does not resolve|could not be resolved)/,
    (host, whom) => `${host} is not reached by SSH at ${whom}`,
    (host) => `is ${host} up, and its address in SMOKE_HOSTS right?`,
  ),
  toldByMessage(
    {
      id: "ssh-other-machine",
      saying: /^(\S+): \S+?@(\S+):\d+ answers that its hostname is "([^"]*)".*/m,
      guide: guide.machines,
    },
    ([host, address, hostname]) => ({
      what: `the SSH address of ${host}, ${address}, is that of ${hostname}`,
      mend: `set the address of ${host} right in SMOKE_HOSTS`,
    }),
  ),
  toldByMessage(
    {
      id: "sudo-refused",
      saying: /^(\S+): "[^]*?" needs root, and sudo does not let (\S+) in without a password.*/m,
      guide: guide.machines,
    },
    ([host, user]) => ({ what: `${user} may not become root on ${host}`, mend: "SMOKE_SSH_USER=root, or NOPASSWD in sudoers" }),
  ),
];
