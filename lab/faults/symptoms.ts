/**
 * What the checks of the network say, in their own words, of a way on which packets are lost.
 */

/** `server` gets no page from the Pods of a worker whose addresses begin like this. */
export const noPageFrom = (prefix: string): RegExp =>
  new RegExp(`server: curl http://${prefix.replaceAll(".", "\\.")}\\d+:80 exited (?:7|28), expected 0: `);

/** Through a Node, requests of this machine are not answered: all of them, or some. */
export const unansweredThrough = (node: string, how = "(?:timed out|unreachable|refused)"): RegExp =>
  new RegExp(`'${node}: HEAD and GET http\\S+ from this machine: \\d+ of \\d+ not answered with 200 by nginx: \\d+ × ${how}`);

/** Through a Node, none but the Pods on these workers have answered. */
export const heardThrough = (node: string, workers: readonly string[]): RegExp => {
  const pods = workers.map((worker) => ` 'nginx-[^' ]+ on ${worker}'`).join(",");
  return new RegExp(`by Node: expected \\{[^}]*'${node}': \\[${pods}${pods === "" ? "" : " "}\\][^}]*\\} to deeply equal`);
};

/** Both checks of the NodePort, where none but the Pods on these workers answer through a Node. */
export const onlyAnswering = (node: string, workers: readonly string[]): Readonly<Record<string, RegExp>> => ({
  "node-port-answers": unansweredThrough(node),
  "node-port-every-pod": heardThrough(node, workers),
});

/** The Pods of node-1 get no packets, whoever sends them; those of node-0 do, also through node-1. */
export const node1sPodsCutOff: Readonly<Record<string, RegExp>> = {
  "pod-ip-from-server": noPageFrom("10.200.1."),
  ...onlyAnswering("node-1", ["node-0"]),
};
