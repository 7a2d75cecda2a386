import { Inject, Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, HttpAdapterHost } from '@nestjs/core';
import { isServiceToken, nameOfToken } from '../redlock.constants.js';
import { RedlockEvents } from '../redlock.events.js';
import { RedlockJobs } from '../redlock.jobs.js';
import type { RedlockService } from '../redlock.service.js';
import { accessOf, isProduction, type Access } from './access.js';
import { act } from './actions.js';
import { refusal, write, type Answer } from './answer.js';
import { bodyOf } from './body.js';
import { isFromThePage, newTokenFor } from './cross-site.js';
import { Live } from './live.js';
import { BOOT_CLOSED, BOOT_LOCAL, CLOSING, NOT_FROM_THE_PAGE, READ_ONLY, TOO_MANY_VIEWERS } from './messages.js';
import { SETTINGS, type DashboardSettings } from './options.js';
import { FILES } from './page/files.js';
import { page, refusalPage } from './page/page.js';
import { pathOf, takeOver, type FrameworkRequest, type FrameworkResponse } from './request.js';
import { Viewers } from './viewers.js';

/** Answers the requests of the page. */
@Injectable()
export class Dashboard implements OnModuleInit, OnModuleDestroy {
  readonly #live: Live;
  readonly #viewers: Viewers;
  readonly #instances: { readonly name: string | undefined; readonly service: RedlockService }[] = [];
  #isClosing = false;

  constructor(
    private readonly http: HttpAdapterHost,
    private readonly discovery: DiscoveryService,
    events: RedlockEvents,
    private readonly jobs: RedlockJobs,
    @Inject(SETTINGS) private readonly settings: DashboardSettings,
  ) {
    this.#live = new Live(events, this.#instances, jobs);
    this.#viewers = new Viewers(this.#live);
  }

  onModuleInit(): void {
    for (const { token, instance } of this.discovery.getProviders()) {
      if (!isServiceToken(token)) continue;
      this.#instances.push({ name: nameOfToken(token), service: instance as RedlockService });
    }
    const { path, authorize } = this.settings;
    if (authorize !== undefined) return;
    const logger = new Logger('Redlock');
    if (isProduction()) logger.warn(BOOT_CLOSED(path));
    else logger.log(BOOT_LOCAL(path));
  }

  onModuleDestroy(): void {
    this.#isClosing = true;
    this.#viewers.endAll();
  }

  async page(request: FrameworkRequest, response: FrameworkResponse): Promise<void> {
    const access = await accessOf(request, this.settings);
    const answer =
      access.may === 'nothing'
        ? refusalPage(access.status, access.why)
        : page(baseOf(pathOf(request), this.settings.path));
    this.#write(response, answer);
  }

  async file(request: FrameworkRequest, response: FrameworkResponse): Promise<void> {
    const access = await accessOf(request, this.settings);
    const file = FILES.get(request.params?.file ?? '');
    if (access.may === 'nothing') this.#write(response, refusal(access.status, access.why));
    else this.#write(response, file ?? refusal(404, 'There is no such file.'));
  }

  async events(request: FrameworkRequest, response: FrameworkResponse): Promise<void> {
    const access = await accessOf(request, this.settings);
    const refused = this.#refuseEvents(request, access);
    if (refused !== undefined) {
      this.#write(response, refused);
      return;
    }
    const own = takeOver(response);
    if (own.destroyed) return; // The browser has gone meanwhile.
    this.#viewers.add(own, access.may === 'everything', newTokenFor(request));
  }

  async act(request: FrameworkRequest, response: FrameworkResponse): Promise<void> {
    this.#write(response, await this.#act(request));
    this.#live.hurry();
  }

  #refuseEvents({ method }: FrameworkRequest, access: Access): Answer | undefined {
    if (access.may === 'nothing') return refusal(access.status, access.why);
    if (this.#isClosing) return refusal(503, CLOSING);
    if (this.#viewers.isFull) return refusal(503, TOO_MANY_VIEWERS);
    // Frameworks pass a HEAD on to what answers a GET.
    return method === 'GET' ? undefined : refusal(405, 'Only GET has events.');
  }

  async #act(request: FrameworkRequest): Promise<Answer> {
    const access = await accessOf(request, this.settings);
    if (access.may === 'nothing') return refusal(access.status, access.why);
    if (access.may === 'read') return refusal(403, READ_ONLY);
    if (!isFromThePage(request)) return refusal(403, NOT_FROM_THE_PAGE);
    const body = await bodyOf(request);
    return 'error' in body ? refusal(body.status, body.error) : await act(this.jobs, body.value);
  }

  #write(response: FrameworkResponse, answer: Answer): void {
    write(this.http.httpAdapter, response, answer);
  }
}

/** Where the files of the page are, as seen from the page: the same through a proxy that has put it below another path. */
function baseOf(asked: string, path: string): string {
  if (asked.endsWith('/')) return './';
  const last = asked.slice(asked.lastIndexOf('/') + 1);
  return /^[\w.~-]+$/.test(last) ? `./${last}/` : `.${path.slice(path.lastIndexOf('/'))}/`;
}
