/** TLS as a client: what OpenSSL is told, and whether it can do what a line of the access map wants. */

import { constants } from 'node:crypto'
import tls from 'node:tls'
import type { ClientTlsSession } from '../core/policy/client-tls-session.ts'
import { fail, ok, type Result } from '../core/result.ts'
import type { ClientTlsSettings } from '../relay/delivery-settings.ts'
import type { ClientTls } from '../relay/ports.ts'

/** Throws if OpenSSL takes it for unusable. */
export function createClientContext({ trustedPem, certificatePem, keyPem, options, ciphers }: Omit<ClientTls, 'serverName'>): tls.SecureContext {
  return tls.createSecureContext({
    minVersion: 'TLSv1.2',
    secureOptions: options,
    ...(ciphers === null ? {} : { ciphers }),
    ...(trustedPem === null ? {} : { ca: [...trustedPem] }),
    ...(certificatePem === null || keyPem === null ? {} : { cert: certificatePem, key: keyPem }),
  })
}

/** The values as OpenSSL takes them, tried out; or why it does not. `pem` has the files that they name. */
export function clientTlsSettings(values: ClientTlsSession, pem: (file: string) => string | null): Result<ClientTlsSettings, string> {
  const unknown = values.options.find(name => optionBits(name) === null)
  if (unknown !== undefined) return fail(`this OpenSSL has no option ${unknown}`)
  const { cipherList, cipherSuites, certificate } = values
  const settings = {
    options: values.options.reduce((bits, name) => bits | (optionBits(name) ?? 0), 0),
    ciphers: cipherList === null && cipherSuites === null ? null : `${cipherSuites ?? USUAL_SUITES}:${cipherList ?? USUAL_CIPHERS}`,
    certificatePem: certificate === null ? null : pem(certificate.certificateFile),
    keyPem: certificate === null ? null : pem(certificate.keyFile),
  }
  if (certificate !== null && (settings.certificatePem === null || settings.keyPem === null)) return fail('its certificate or its key could not be read')
  try {
    createClientContext({ ...settings, trustedPem: [] })
    return ok(settings)
  } catch (error) {
    return fail(`OpenSSL does not take it: ${(error as Error).message}`)
  }
}

function optionBits(name: string): number | null {
  const bits = Object.entries(constants).find(([known]) => known === name)?.[1]
  return typeof bits === 'number' ? bits : null
}

/** Node takes both lists as one; either would be empty if only the other were given. */
const isSuite = (name: string): boolean => name.startsWith('TLS_')
const USUAL = tls.DEFAULT_CIPHERS.split(':')
const USUAL_SUITES = USUAL.filter(isSuite).join(':')
const USUAL_CIPHERS = USUAL.filter(name => !isSuite(name)).join(':')
