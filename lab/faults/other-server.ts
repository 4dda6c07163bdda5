/**
 * A web server that is not nginx, in the Perl that every Debian has: it answers 200 to whatever it is asked, and logs nothing.
 */

/** For `perl -e`, and the port after it. */
export const otherServer = `
use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalPort => $ARGV[0], Listen => 128, ReuseAddr => 1) or die $!;
while (my $client = $server->accept) {
  while (my $line = <$client>) { last if $line =~ /^\\r?$/ }
  print $client "HTTP/1.1 200 OK\\r\\nServer: other-server\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n";
  close $client;
}
`;
