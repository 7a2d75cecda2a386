import { Controller, Get, Post, Req, Res, VERSION_NEUTRAL, type Type } from '@nestjs/common';
import { Dashboard } from './dashboard.js';
import type { FrameworkRequest, FrameworkResponse } from './request.js';

/** The routes of a page at this path. They have the request and the response of the framework: pipes and interceptors have nothing to change. */
export function controllerAt(path: string): Type {
  @Controller({ path, version: VERSION_NEUTRAL })
  class RedlockDashboardController {
    constructor(private readonly dashboard: Dashboard) {}

    @Get()
    page(@Req() request: FrameworkRequest, @Res() response: FrameworkResponse): Promise<void> {
      return this.dashboard.page(request, response);
    }

    @Get('events')
    events(@Req() request: FrameworkRequest, @Res() response: FrameworkResponse): Promise<void> {
      return this.dashboard.events(request, response);
    }

    @Get(':file')
    file(@Req() request: FrameworkRequest, @Res() response: FrameworkResponse): Promise<void> {
      return this.dashboard.file(request, response);
    }

    @Post('act')
    act(@Req() request: FrameworkRequest, @Res() response: FrameworkResponse): Promise<void> {
      return this.dashboard.act(request, response);
    }
  }
  return RedlockDashboardController;
}
