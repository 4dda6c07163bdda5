/**
 * What a component of the guide is to the lab: the files that it puts on a host, and the units that start it.
 */
import type { Instance } from "../instance.ts";
import type { Worker } from "../topology.ts";

/** A file's content, or where in the instance's folder or the binaries' folder to take it from. */
export type Content = { text: string } | { pki: string } | { binary: string };

export type Component = {
  /** By absolute path on the host. */
  files: Readonly<Record<string, Content>>;
  /** Units to start at boot. */
  units: readonly string[];
};

export type ServerComponent = (instance: Instance) => Component;
export type WorkerComponent = (instance: Instance, worker: Worker) => Component;

type Unit = {
  description: string;
  after?: readonly string[];
  requires?: readonly string[];
  /** Further lines of the [Service] section. */
  service?: readonly string[];
  command: readonly string[];
};

/** A unit of the guide's kind. */
export function unit({ description, after = [], requires = [], service = [], command }: Unit): Content {
  const [program, ...flags] = command;
  const text = [
    "[Unit]",
    `Description=${description}`,
    ...after.map((name) => `After=${name}`),
    ...requires.map((name) => `Requires=${name}`),
    "[Service]",
    `ExecStart=${[program, ...flags].join(" \\\n  ")}`,
    ...service,
    "Restart=on-failure",
    // Deviation: the guide waits 5 s. A lab in which faults are healed all day gains by every second.
    "RestartSec=1",
    // Deviation: kube-apiserver drains for a minute when it is told to stop, unless it is cut short.
    "TimeoutStopSec=2",
    "[Install]",
    "WantedBy=multi-user.target",
  ];
  return { text: `${text.join("\n")}\n` };
}

export const unitPath = (name: string): string => `/etc/systemd/system/${name}`;
