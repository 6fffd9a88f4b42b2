// A page of an Angular application without components: its HttpClient with the interceptor of docs/examples. The tests
// drive it by `window.start` and `window.send`.

import {
  HttpClient, HttpContext, HttpErrorResponse, provideHttpClient, withFetch, withInterceptors,
} from '@angular/common/http';
import { provideZonelessChangeDetection } from '@angular/core';
import { createApplication } from '@angular/platform-browser';
import { firstValueFrom } from 'rxjs';

import { ASKS_NOBODY, SESSION_CONFIG, sessionInterceptor } from '../../../docs/examples/session.interceptor';

interface Answer {
  status: number;
  body: unknown;
}

declare global {
  interface Window {
    start: (api: string, signIn: () => Promise<boolean>) => Promise<void>;
    send: (method: string, url: string, body?: unknown, asksNobody?: boolean) => Promise<Answer>;
  }
}

window.start = async (api, askToSignIn) => {
  const { injector } = await createApplication({
    providers: [
      provideZonelessChangeDetection(),
      provideHttpClient(withFetch(), withInterceptors([sessionInterceptor])),
      { provide: SESSION_CONFIG, useValue: { api, askToSignIn } },
    ],
  });
  const http = injector.get(HttpClient);
  window.send = async (method, url, body, asksNobody = false) => {
    const context = new HttpContext().set(ASKS_NOBODY, asksNobody);
    try {
      const answer = await firstValueFrom(http.request(method, url, { body, context, observe: 'response' }));
      return { status: answer.status, body: answer.body };
    } catch (error) {
      if (error instanceof HttpErrorResponse) return { status: error.status, body: error.error };
      throw error;
    }
  };
};
