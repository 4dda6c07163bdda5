/**
 * The images that the lab's registry serves, pushed by the registry's own HTTP API.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { request } from "undici";
import { provideTree } from "./base.ts";
import { cacheFolder } from "./instance.ts";
import { run } from "./run.ts";

export type Image = {
  /** As the registry knows it: Docker Hub's nginx is library/nginx. */
  repository: string;
  tag: string;
  /** Path of the one layer, a gzipped tar. */
  layer: string;
  config: {
    Cmd?: readonly string[];
    Entrypoint?: readonly string[];
    ExposedPorts?: Record<string, object>;
    StopSignal?: string;
    User?: string;
  };
};

const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** What the lab's Pods are made of; the layers are kept in the cache. */
export async function provideImages(): Promise<Image[]> {
  const [nginx, pause] = await Promise.all([nginxLayer(), pauseLayer()]);
  return [
    {
      repository: "library/nginx",
      tag: "latest",
      layer: nginx,
      config: { Cmd: ["nginx", "-g", "daemon off;"], ExposedPorts: { "80/tcp": {} }, StopSignal: "SIGQUIT" },
    },
    { repository: "pause", tag: "3.10", layer: pause, config: { Entrypoint: ["/pause"] } },
  ];
}

async function nginxLayer(): Promise<string> {
  const tree = await provideTree("nginx");
  const layer = `${tree}.tar.gz`;
  if (!existsSync(layer)) {
    const options = ["--numeric-owner", "--use-compress-program=gzip -1", `--file=${layer}.part`, "--directory", tree];
    await run(["tar", "--create", ...options, "."], { endsWithUs: true });
    await rename(`${layer}.part`, layer);
  }
  return layer;
}

/** The process that holds a Pod's namespaces: it sleeps, ends when told to, and buries what is left to it. */
const pauseSource = `
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
static void end(int signal) { (void)signal; _exit(0); }
static void bury(int signal) { (void)signal; while (waitpid(-1, 0, WNOHANG) > 0); }
int main(void) { signal(SIGINT, end); signal(SIGTERM, end); signal(SIGCHLD, bury); for (;;) pause(); }
`;

async function pauseLayer(): Promise<string> {
  const layer = join(cacheFolder, `pause-${digestOf(pauseSource).slice(7, 19)}.tar.gz`);
  if (!existsSync(layer)) {
    const folder = `${layer}.build`;
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "pause.c"), pauseSource);
    await run(["gcc", "-static", "-Os", "-s", "-o", "pause", "pause.c"], { folder, endsWithUs: true });
    await run(["tar", "--create", "--gzip", `--file=${layer}.part`, "pause"], { folder, endsWithUs: true });
    await rename(`${layer}.part`, layer);
    await rm(folder, { recursive: true });
  }
  return layer;
}

/** Pushes an image; what the registry already has is not sent again. */
export async function pushImage(registry: string, { repository, tag, layer, config }: Image): Promise<void> {
  const compressed = await readFile(layer);
  const diffID = digestOf(gunzipSync(compressed));
  const image = { architecture: "amd64", os: "linux", config: { Env: [path], ...config }, rootfs: { type: "layers", diff_ids: [diffID] } };
  const configuration = Buffer.from(JSON.stringify(image));
  await Promise.all([pushBlob(registry, repository, compressed), pushBlob(registry, repository, configuration)]);
  const manifest = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: descriptor("application/vnd.oci.image.config.v1+json", configuration),
    layers: [descriptor("application/vnd.oci.image.layer.v1.tar+gzip", compressed)],
  };
  await ask("PUT", `${registry}/v2/${repository}/manifests/${tag}`, Buffer.from(JSON.stringify(manifest)), manifest.mediaType);
}

const descriptor = (mediaType: string, content: Buffer) => ({ mediaType, digest: digestOf(content), size: content.length });

const digestOf = (content: string | Buffer): string => `sha256:${createHash("sha256").update(content).digest("hex")}`;

async function pushBlob(registry: string, repository: string, content: Buffer): Promise<void> {
  const { headers } = await ask("POST", `${registry}/v2/${repository}/blobs/uploads/`);
  const upload = new URL(String(headers["location"]), registry);
  upload.searchParams.set("digest", digestOf(content));
  await ask("PUT", upload.href, content, "application/octet-stream");
}

async function ask(method: "POST" | "PUT", url: string, body?: Buffer, type?: string) {
  const response = await request(url, { method, ...(body && { body }), ...(type && { headers: { "content-type": type } }) });
  const text = await response.body.text();
  if (response.statusCode >= 300) throw new Error(`registry: ${method} ${url} answered ${response.statusCode}, expected 2xx: ${text}`);
  return response;
}
