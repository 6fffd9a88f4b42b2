// A session with Videoflix for Angular 20 and later: docs/frontend.md explains it. The application provides:
//
//   provideHttpClient(withFetch(), withInterceptors([sessionInterceptor])),
//   { provide: SESSION_CONFIG, useFactory: () => ({ api: 'https://videos.example.com', askToSignIn: … }) },

import { HttpBackend, HttpClient, HttpContextToken, HttpErrorResponse, HttpInterceptorFn } from '@angular/common/http';
import { InjectionToken, inject } from '@angular/core';
import {
  MonoTypeOperatorFunction, Observable, ObservableInput, catchError, defer, finalize, firstValueFrom, map, of, retry,
  shareReplay, switchMap, tap, throwError, timeout, timer,
} from 'rxjs';

export interface SessionConfig {
  /** 'https://videos.example.com'. Requests to other addresses are not changed. */
  api: string;
  /**
   * Shows a sign-in form over the page and resolves to whether the person has signed in; the refused requests are then
   * sent again.
   */
  askToSignIn: () => Promise<boolean>;
}

export const SESSION_CONFIG = new InjectionToken<SessionConfig>('where Videoflix is');
/** For requests such as "who is signed in": a 401 is an answer to them, and the person is not asked to sign in. */
export const ASKS_NOBODY = new HttpContextToken<boolean>(() => false);

const LONGEST_WAIT_S = 10; // a longer wait is shown to people instead
const ANSWER_MS = 8000; // short enough to send it again: for ten seconds the server gives the same tokens
const FRESH_MS = 30_000;
const HARMLESS = /\/(login|refresh)\/$/; // safe to send again, even if the first request arrived

export const sessionInterceptor: HttpInterceptorFn = (request, next) => {
  const session = inject(SESSION);
  if (!request.url.startsWith(`${session.config.api}/`)) return next(request);
  const send = () => next(request.clone({ withCredentials: true })).pipe(onceMoreIfBusy(request));
  return defer(() => {
    const startedAt = Date.now();
    return send().pipe(
      catchError((error: unknown) => {
        const isOver = statusOf(error) === 401;
        const goesOn = isOver ? session.goesOn(startedAt, request.context.get(ASKS_NOBODY)) : of(false);
        return goesOn.pipe(switchMap((is) => (is ? send() : throwError(() => error))));
      }),
    );
  });
};

class Session {
  readonly config = inject(SESSION_CONFIG);
  private readonly http = new HttpClient(inject(HttpBackend)); // without interceptors

  /** Emits whether a request that was sent at the time `since` and refused may be sent again. */
  goesOn(since: number, asksNobody: boolean): Observable<boolean> {
    const renewed = this.renew(since);
    return asksNobody ? renewed : renewed.pipe(switchMap((is) => (is ? of(true) : this.signInAgain(since))));
  }

  /** Emits false when the session has ended. All calls and tabs share one refresh since the time `since`. */
  private readonly renew = shared((since) => inTurn(() => this.renewUnlessDone(since)));
  private readonly signInAgain = shared(() => this.config.askToSignIn());

  private renewUnlessDone(since: number): Observable<boolean> {
    if (wasJustNow(renewedAt(), since)) return of(true); // another tab has refreshed
    // keepalive: the browser gets the new tokens even if the page is closed meanwhile.
    const options = { withCredentials: true, keepalive: true };
    const url = `${this.config.api}/users/refresh/`;
    return this.http.post(url, {}, options).pipe(
      onceMoreIfBusy({ method: 'POST', url }),
      timeout(ANSWER_MS),
      retry({ count: 1, delay: (error) => (statusOf(error) ? throwError(() => error) : of(0)) }), // a lost answer
      map(() => true),
      tap(() => renewedAt(Date.now())),
      catchError((error: unknown) => (statusOf(error) === 401 ? of(false) : throwError(() => error))),
    );
  }
}

const SESSION = new InjectionToken('session with Videoflix', { providedIn: 'root', factory: () => new Session() });

const statusOf = (error: unknown) => (error instanceof HttpErrorResponse ? error.status : 0);

function onceMoreIfBusy<T>({ method, url }: { method: string; url: string }): MonoTypeOperatorFunction<T> {
  const isHarmless = method === 'GET' || HARMLESS.test(url);
  const delay = (error: unknown) => {
    const waitS = error instanceof HttpErrorResponse ? Number(error.headers.get('Retry-After')) : 0;
    const isBusy = statusOf(error) === 429 || (statusOf(error) === 503 && isHarmless);
    return isBusy && waitS && waitS <= LONGEST_WAIT_S ? timer(waitS * 1000) : throwError(() => error);
  };
  return retry({ count: 1, delay });
}

/**
 * Wraps `work`, so that all calls made before it settles share one run and its outcome. The run goes on when the caller
 * that began it unsubscribes.
 */
function shared(work: (since: number) => ObservableInput<boolean>) {
  let outcome: Observable<boolean>;
  let doneAt: number | null = 0;
  return (since: number): Observable<boolean> => {
    if (doneAt !== null && !wasJustNow(doneAt, since)) {
      doneAt = null;
      outcome = defer(() => work(since)).pipe(finalize(() => (doneAt = Date.now())), shareReplay(1));
    }
    return outcome;
  };
}

const wasJustNow = (time: number, since: number) => time > since && time <= Date.now() && Date.now() - time < FRESH_MS;

function inTurn(work: () => Observable<boolean>): Observable<boolean> {
  if (!navigator.locks) return work();
  return defer(async () => navigator.locks.request('videoflix.renew', () => firstValueFrom(work())));
}

/** The time of the last refresh, shared by all tabs. A browser without storage only refreshes more often. */
function renewedAt(time?: number): number {
  try {
    if (time) localStorage.setItem('videoflix.renewed_at', String(time));
    return Number(localStorage.getItem('videoflix.renewed_at'));
  } catch {
    return 0;
  }
}
