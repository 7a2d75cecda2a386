import { Injectable } from '@nestjs/common';

let replicas = 0;

/** The name of this replica. In production that would be the host name. */
@Injectable()
export class Replica {
  readonly name = `replica-${++replicas}`;
}
