import { stringify } from "yaml";
import { unit, unitPath, type ServerComponent } from "./component.ts";

export const registryPort = 5000;

const configuration = {
  version: 0.1,
  log: { level: "warn" },
  storage: { filesystem: { rootdirectory: "/var/lib/registry" }, delete: { enabled: true } },
  http: { addr: `0.0.0.0:${registryPort}` },
};

/** Deviation: the lab has no way to Docker Hub, so `server` holds what the guide pulls from there. */
export const registry: ServerComponent = () => ({
  files: {
    "/usr/local/bin/registry": { binary: "registry" },
    "/etc/registry.yaml": { text: stringify(configuration) },
    [unitPath("registry.service")]: unit({
      description: "Image registry",
      service: ["Environment=OTEL_TRACES_EXPORTER=none"],
      command: ["/usr/local/bin/registry", "serve", "/etc/registry.yaml"],
    }),
  },
  units: ["registry.service"],
});
