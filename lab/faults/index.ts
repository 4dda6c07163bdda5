/**
 * The fault catalogue.
 */
import { admission } from "./admission.ts";
import { api } from "./api.ts";
import { cni } from "./cni.ts";
import { containers } from "./containers.ts";
import { controlPlane } from "./control-plane.ts";
import { credentials } from "./credentials.ts";
import { encryption } from "./encryption.ts";
import { etcd } from "./etcd.ts";
import { execs } from "./exec.ts";
import type { Fault } from "./fault.ts";
import { givenKeys } from "./given-keys.ts";
import { images } from "./images.ts";
import { inBetween } from "./in-between.ts";
import { inotify } from "./inotify.ts";
import { kubeletAccess } from "./kubelet-access.ts";
import { names } from "./names.ts";
import { nginx } from "./nginx.ts";
import { nodes } from "./nodes.ts";
import { podNetwork } from "./pod-network.ts";
import { reaching } from "./reaching.ts";
import { replacement } from "./replacement.ts";
import { services } from "./services.ts";
import { storedSecret } from "./stored-secret.ts";
import { veths } from "./veths.ts";

/** By the file in which each is written. */
export const faultsByFile: Readonly<Record<string, readonly Fault[]>> = {
  encryption,
  "given-keys": givenKeys,
  "stored-secret": storedSecret,
  etcd,
  nodes,
  "control-plane": controlPlane,
  replacement,
  admission,
  images,
  containers,
  cni,
  veths,
  "pod-network": podNetwork,
  "kubelet-access": kubeletAccess,
  inotify,
  names,
  nginx,
  exec: execs,
  services,
  reaching,
  api,
  "in-between": inBetween,
  credentials,
};

export const faults: readonly Fault[] = Object.values(faultsByFile).flat();
