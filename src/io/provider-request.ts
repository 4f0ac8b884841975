/**
 * Asks an identity provider over HTTP, within bounds: one answer of one size in one time, and from
 * nowhere else than where it was asked for.
 *
 * What goes wrong is an error whose message names the place and not what was sent: that holds a token.
 */

import http from 'node:http'
import https from 'node:https'

export type ProviderRequest = {
  readonly url: string
  readonly method: 'GET' | 'POST'
  readonly headers: { readonly [name: string]: string }
  readonly body: string
}

export type ProviderOptions = {
  /** PEM of the CAs that may certify the provider; null for the public ones. */
  readonly trustedPem: readonly string[] | null
  readonly timeoutSeconds: number
  readonly mostBytes: number
}

export class Provider {
  readonly #options: ProviderOptions
  readonly #agent: https.Agent
  readonly #plainAgent: http.Agent

  constructor(options: ProviderOptions) {
    this.#options = options
    const { trustedPem } = options
    const usual = { keepAlive: true, maxSockets: MOST_CONNECTIONS, maxFreeSockets: 1, timeout: IDLE_MILLISECONDS }
    this.#agent = new https.Agent({ ...usual, minVersion: 'TLSv1.2', ...(trustedPem === null ? {} : { ca: [...trustedPem] }) })
    this.#plainAgent = new http.Agent(usual)
  }

  /** The body of a 200. Rejects with anything else. */
  ask(request: ProviderRequest): Promise<string> {
    const signal = AbortSignal.timeout(this.#options.timeoutSeconds * 1000)
    return this.#send(request, signal).catch((error: unknown) => {
      const what = signal.aborted ? `no answer within ${this.#options.timeoutSeconds} seconds` : error instanceof Error ? error.message : String(error)
      throw new Error(`${request.url}: ${what}`)
    })
  }

  /** Closes what is kept open for the next question. */
  close(): void {
    this.#agent.destroy()
    this.#plainAgent.destroy()
  }

  #send({ url, method, headers, body }: ProviderRequest, signal: AbortSignal): Promise<string> {
    const { protocol } = new URL(url)
    const options = { method, signal, headers: { accept: 'application/json', ...headers }, maxHeaderSize: MOST_HEADER_BYTES }
    return new Promise((resolve, reject) => {
      const sent =
        protocol === 'https:' ? https.request(url, { ...options, agent: this.#agent }) : http.request(url, { ...options, agent: this.#plainAgent })
      sent.once('error', reject)
      // An answer that is no answer, such as 101, ends a request without an error.
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      sent.once('response', answer => {
        this.#read(answer).then(resolve, error => {
          sent.destroy()
          reject(error)
        })
      })
      sent.end(body)
    })
  }

  async #read(answer: http.IncomingMessage): Promise<string> {
    const { statusCode = 0 } = answer
    // Whoever can redirect us could have the token, and our own secret, sent to himself.
    if (statusCode >= 300 && statusCode < 400) throw new Error(`answered ${statusCode}, and redirects are not followed; write the URL where it really is`)
    // In its own words, which may repeat the question, it is not quoted.
    if (statusCode !== 200) throw new Error(`answered ${statusCode} (${http.STATUS_CODES[statusCode] ?? 'unknown'})`)
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > this.#options.mostBytes) throw new Error(`the answer has more than ${this.#options.mostBytes} octets`)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks).toString('utf8')
  }
}

const MOST_CONNECTIONS = 8
const IDLE_MILLISECONDS = 15_000
const MOST_HEADER_BYTES = 16 * 1024
