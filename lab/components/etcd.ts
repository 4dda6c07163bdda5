import { unit, unitPath, type ServerComponent } from "./component.ts";

/** etcd, on `server`, without TLS: the guide's chapter 7. */
export const etcd: ServerComponent = () => ({
  files: {
    "/usr/local/bin/etcd": { binary: "etcd" },
    "/usr/local/bin/etcdctl": { binary: "etcdctl" },
    [unitPath("etcd.service")]: unit({
      description: "etcd",
      service: ["Type=notify", "StateDirectory=etcd", "StateDirectoryMode=0700"],
      command: [
        "/usr/local/bin/etcd",
        "--name=controller",
        "--initial-advertise-peer-urls=http://127.0.0.1:2380",
        "--listen-peer-urls=http://127.0.0.1:2380",
        "--listen-client-urls=http://127.0.0.1:2379",
        "--advertise-client-urls=http://127.0.0.1:2379",
        "--initial-cluster-token=etcd-cluster-0",
        "--initial-cluster=controller=http://127.0.0.1:2380",
        "--initial-cluster-state=new",
        "--data-dir=/var/lib/etcd",
        // Deviation: a lab's data need not survive a power cut, and these disks are slow to sync.
        "--unsafe-no-fsync",
      ],
    }),
  },
  units: ["etcd.service"],
});
