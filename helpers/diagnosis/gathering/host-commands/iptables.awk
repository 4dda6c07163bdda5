# Of iptables-save: a line a rule, behind its table, of the chains that packets come into first, and of those of Docker and ufw, whose rules
# stand in front of Kubernetes' own.

/^\*/ { table = substr($1, 2) }

/^(:|-A )(PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING|DOCKER-USER|ufw-[a-z-]+) / { print table, $0 }
