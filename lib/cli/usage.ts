export const USAGE = `Usage: redlock-nestjs <command> [servers] [options]

Commands
  doctor [servers]         looks at the servers as the module would: what is wrong, and what to do
  locks [servers]          lists what is held: key, holder, time left, fencing token
  inspect <key> [servers]  shows one key as each server sees it
  release <key> [servers]  frees a key, after a question on a terminal
  jobs [servers]           lists the jobs: last run, outcome, replica, and whether they are paused
  history <job> [servers]  lists the last runs of a job
  pause <job> [servers]    keeps a job from running on all replicas, until it is resumed
  resume <job> [servers]   ends a pause
  run <job> --app <file>   runs a job now, in this process: the file exports the root module of the application

Servers are the masters of one quorum: redis:// and rediss:// URLs, or host:port. Without them: REDLOCK_SERVERS.

Options
  --json            one JSON value instead of text
  --prefix <text>   the keyPrefix of the module (default "redlock:")
  --timeout <time>  how long a server may take, such as 500ms or 5s (default 5s)
  --limit <number>  how many locks or jobs are searched for at most (default 1000)
  --ticks           lists the claims of ticks, too
  --for <time>      how long "pause" lasts, such as 30m or 8h (default: until "resume")
  --reason <text>   why a job is paused: other operators see it
  --key <text>      the key that a job locks, where no run of it is known; once for each of several keys
  --app <file>      the compiled root module, such as dist/app.module.js
  --yes, -y         releases without a question
  --help, -h
  --version, -v

Environment
  REDLOCK_SERVERS          servers, separated by commas or spaces
  REDLOCK_USERNAME, REDLOCK_PASSWORD
                           of each server whose URL has no password. A URL among the arguments is seen by other
                           users of the machine, and its password with it: use these instead
  REDLOCK_TLS_CA, REDLOCK_TLS_CERT, REDLOCK_TLS_KEY
                           PEM files for rediss:// URLs: an authority, a client's certificate, and its key
  REDLOCK_TLS_PASSPHRASE, REDLOCK_TLS_SERVERNAME
                           of that key; the name in the servers' certificate
  NO_COLOR                 no colours on a terminal

Exit code
  0  all is well
  1  it works, with warnings or servers that have not answered; "release": nothing was released;
     "run": the job has failed
  2  locks are not safe or cannot be had, too few servers have answered, or the command line is wrong
`;
