/**
 * Answers of the API server that say no, and what they mean for the verdict.
 */
import { ConformanceError, InconclusiveError } from "./errors.ts";
import { clientCertificateProblem, type ClusterAccess } from "./kubeconfig.ts";

/** The part of a Status that says what went wrong. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
export type Status = {
  status?: "Success" | "Failure";
  message?: string;
  reason?: string;
  details?: { causes?: { reason?: string; message?: string }[] };
};

/** The API server answered with 5xx: it is at fault. */
export class ApiServerError extends ConformanceError {
  readonly code: number;
  readonly reason: string | undefined;
  readonly status: Status;

  constructor(sentence: string, code: number, status: Status = {}) {
    super(sentence);
    this.code = code;
    this.reason = status.reason;
    this.status = status;
  }
}

/** The API server answered with 3xx or 4xx: it did not do what we asked, which may be our own fault or want of rights. */
export class ApiRefusal extends InconclusiveError {
  readonly code: number;
  readonly reason: string | undefined;
  readonly status: Status;

  constructor(sentence: string, code: number, status: Status = {}) {
    super(sentence);
    this.code = code;
    this.reason = status.reason;
    this.status = status;
  }
}

/** The API server took the request, and was silent until its deadline. */
export class ApiTimeout extends InconclusiveError {}

/** There is no such object, or no such kind. */
export const isNotFound = (error: unknown): boolean => error instanceof ApiRefusal && error.code === 404;
/** The user has not the right, or admission refuses. */
export const isForbidden = (error: unknown): boolean => error instanceof ApiRefusal && error.code === 403;

/** What to do about an answer that has no more to say than no. Of a policy's refusal, its own words say it. */
function remedyOf(code: number, message = ""): string {
  if (code === 401) return ". Are the kubeconfig's credentials of this cluster, as it is built now?";
  return code === 403 && / cannot \w+ resource /.test(message) ? ". The rights that the suite needs are in docs/rbac.yaml." : "";
}

/** @param asked method and path, such as `GET /api/v1/nodes` */
export function refusalOf(access: ClusterAccess, asked: string, code: number, text: string): ApiServerError | ApiRefusal {
  const status = statusOf(text);
  const expired = code === 401 ? clientCertificateProblem(access) : undefined;
  const said = expired ?? status.message ?? "without a word";
  const remedy = expired === undefined ? remedyOf(code, status.message) : "";
  const sentence = `API server ${access.server}: ${asked} answered ${code}: ${said}${remedy}`;
  return code >= 500 ? new ApiServerError(sentence, code, status) : new ApiRefusal(sentence, code, status);
}

/** The body of a refusal: a Status, or the bare words of a kubelet or a proxy, which become its message. */
export function statusOf(text: string): Status {
  const words = text.trim().slice(0, 300);
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : { message: words };
  } catch {
    return words === "" ? {} : { message: words };
  }
}
