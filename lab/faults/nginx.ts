/**
 * Pods that are Ready, and in which nginx is not as it should be.
 */
import { podsMutated, type Armed } from "./api-objects.ts";
import type { Fault } from "./fault.ts";
import { otherServer } from "./other-server.ts";

const start = `exec nginx -g "daemon off;"`;
const site = "/etc/nginx/sites-available/default";
const listeningOn = (address: string): string => `sed -i "s/listen 80/listen ${address}:80/; /listen \\[::\\]/d" ${site}`;

/** Every Pod runs a script in place of the image's command. */
const running = (name: string, script: string): Armed => podsMutated(name, { "/spec/containers/0/command": ["sh", "-c", script] });

export const nginx: readonly Fault[] = [
  {
    name: "nginx-on-pod-ip-only",
    state: "nginx listens on the Pod's address alone, and a port-forward comes in by the loopback",
    ...running("nginx-on-pod-ip-only", `${listeningOn("`hostname -i`")} && ${start}`),
    fails: ["port-forward"],
    // The request that is to appear in a log goes through a forward.
    inconclusive: ["logs-recorded", "logs-followed"],
    because: /connection refused/,
    cause: /^Cause: nginx in the Pod on node-\d does not listen on 127\.0\.0\.1/,
  },
  {
    name: "nginx-on-loopback-only-on-node-1",
    state: "of two Pods, the one on node-1 listens on its loopback alone, and is silent to all others",
    ...running("nginx-on-loopback-only-on-node-1", `case $(hostname -i) in 10.200.1.*) ${listeningOn("127.0.0.1")};; esac; ${start}`),
    fails: ["pod-ip-from-server", "node-port-answers", "node-port-every-pod"],
    inconclusive: [],
    because: /refused|on node-1/i,
    cause: /^Cause: Pod nginx-\S+ on node-1 does not answer, not even to its own Node/,
  },
  {
    name: "nginx-renamed",
    state: "nginx runs, and its program has another name",
    ...running("nginx-renamed", `mv /usr/sbin/nginx /usr/sbin/web-server && exec web-server -g "daemon off;"`),
    fails: ["exec-version"],
    inconclusive: [],
    because: /executable file not found/,
    cause: /^Cause: the image nginx:latest has no nginx where exec looks for it/,
  },
  {
    name: "nginx-logs-nothing",
    state: "nginx keeps no log of the requests that it answers",
    ...running("nginx-logs-nothing", `sed -i "s#access_log .*#access_log off;#" /etc/nginx/nginx.conf && ${start}`),
    fails: ["logs-recorded", "logs-followed"],
    // Only the logs tell which Pod has answered.
    inconclusive: ["node-port-every-pod"],
    because: /0 lines/,
    cause: /^Cause: the container of the Pod on node-\d does not log its requests/,
  },
  {
    name: "another-server-answers",
    state: "another server than nginx answers in the Pods, with 200, and logs nothing",
    ...podsMutated("another-server-answers", { "/spec/containers/0/command": ["perl", "-e", otherServer, "80"] }),
    fails: ["pod-ip-from-server", "port-forward", "logs-recorded", "logs-followed", "node-port-answers"],
    inconclusive: ["node-port-every-pod"],
    because: /200 from other-server|a page of 0 bytes|0 lines/,
    cause: /^Cause: what answers in the Pods is not nginx/,
  },
];
