/**
 * An image of nginx that runs without root on port 8080, as Docker Hub's nginxinc/nginx-unprivileged does.
 */
import { registryPort } from "../components/registry.ts";
import { isSo, type Lab } from "../faults/fault.ts";
import { provideImages, pushImage } from "../images.ts";
import type { LegalCluster } from "./cluster.ts";

const repository = "library/nginx-unprivileged";
const port = 8080;

/** Whoever is not root may write to /tmp alone. */
const configuration = `
pid /tmp/nginx.pid;
error_log stderr;
events {}
http {
  access_log /dev/stdout;
  client_body_temp_path /tmp/client_body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;
  server {
    listen ${port};
    root /usr/share/nginx/html;
  }
}
`;

const start = `echo "$1" > /tmp/nginx.conf && exec nginx -c /tmp/nginx.conf -g 'daemon off;'`;
const manifest = `http://127.0.0.1:${registryPort}/v2/${repository}/manifests`;
const head = `curl --silent --fail --head --header 'Accept: application/vnd.oci.image.manifest.v1+json' ${manifest}/latest`;

async function push({ instance }: Lab): Promise<void> {
  const nginx = (await provideImages()).find((image) => image.repository === "library/nginx");
  if (nginx === undefined) throw new Error("The lab has no image of nginx that another could be made of.");
  await pushImage(`http://${instance.topology.server.address}:${registryPort}`, {
    ...nginx,
    repository,
    config: { Cmd: ["sh", "-c", start, "sh", configuration], ExposedPorts: { [`${port}/tcp`]: {} }, StopSignal: "SIGQUIT", User: "33:33" },
  });
}

export const unprivilegedImage: Pick<LegalCluster, "arrange" | "undo" | "holds" | "environment"> = {
  arrange: push,
  undo: (lab) =>
    lab.on(
      "server",
      `curl --silent --fail --request DELETE ${manifest}/$(${head} | sed -n 's/^docker-content-digest: \\(\\S*\\).*/\\1/Ip')`,
    ),
  holds: (lab) => isSo(lab, "server", `${head} >/dev/null`),
  environment: { SMOKE_IMAGE: "nginx-unprivileged:latest", SMOKE_IMAGE_PORT: String(port) },
};
