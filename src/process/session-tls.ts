/** TLS_Clt_Features lines of the access map: which files they name, and what comes of them. */

import { foldCase, type AccessMap } from '../core/policy/access-map.ts'
import type { AccessEntry } from '../core/policy/decision.ts'
import { parseClientTlsSession } from '../core/policy/client-tls-session.ts'
import { clientTlsSettings } from '../io/tls-client-context.ts'
import type { SessionTls } from '../relay/delivery-settings.ts'

export class SessionLines {
  readonly #entries: readonly AccessEntry[]

  constructor(access: AccessMap) {
    this.#entries = [...access.entries()].filter(({ key }) => foldCase(key).startsWith(PREFIX))
  }

  /** Certificates and keys that the lines name. */
  files(): readonly { readonly certificateFile: string; readonly keyFile: string }[] {
    return this.#entries.flatMap(({ value }) => {
      const parsed = parseClientTlsSession(value)
      return parsed.ok && parsed.value.certificate !== null ? [parsed.value.certificate] : []
    })
  }

  /** By the value of the line. One that cannot be followed says why: with such servers nothing is sent. */
  settings(pem: Pem): ReadonlyMap<string, SessionTls> {
    return new Map(this.#entries.map(({ value }) => [value, sessionOf(value, pem)]))
  }

  /** What OpenSSL does not take, line by line. What cannot be read at all, the access map's own checks report. */
  problems(pem: Pem): readonly string[] {
    return this.#entries.flatMap(({ file, line, value }) => {
      const session = sessionOf(value, pem)
      return 'unusable' in session && parseClientTlsSession(value).ok ? [`${file}:${line}: ${session.unusable}; correct the line, or take it out`] : []
    })
  }
}

type Pem = (file: string) => string | null

function sessionOf(value: string, pem: Pem): SessionTls {
  const parsed = parseClientTlsSession(value)
  if (!parsed.ok) return { unusable: parsed.problem }
  const settings = clientTlsSettings(parsed.value, pem)
  return settings.ok ? { ...settings.value, fallsBack: parsed.value.fallsBack } : { unusable: settings.problem }
}

const PREFIX = 'tls_clt_features:'
