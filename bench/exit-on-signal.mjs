// Given to the servers that are profiled, by `--import`: the profile is written when a process ends by itself. It comes
// before the server's own way to end, which would be in the profile too.
process.on('SIGTERM', () => process.exit(0));
