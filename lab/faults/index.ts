/**
 * The fault catalogue.
 */
import { controlPlane } from "./control-plane.ts";
import { encryption } from "./encryption.ts";
import type { Fault } from "./fault.ts";
import { kubeletAccess } from "./kubelet-access.ts";
import { nodes } from "./nodes.ts";
import { podNetwork } from "./pod-network.ts";
import { reaching } from "./reaching.ts";
import { services } from "./services.ts";

export const faults: readonly Fault[] = [
  ...encryption,
  ...nodes,
  ...controlPlane,
  ...podNetwork,
  ...kubeletAccess,
  ...services,
  ...reaching,
];
