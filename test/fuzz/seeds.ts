/** What clients say, out of the transcripts: every one of them is a seed. */

import { readdirSync, readFileSync } from 'node:fs'
import { parseTranscript } from '../transcripts/transcript.ts'

/** What a client sends in one go ends here. No honest client sends this octet. */
export const END_OF_FLIGHT = '\x1e'

const FOLDER = `${import.meta.dirname}/../transcripts`

/** Connections: what the client of each sends, flight after flight. */
export function conversations(): readonly Buffer[] {
  return readdirSync(FOLDER)
    .filter(name => name.endsWith('.smtp') && !name.endsWith('.client.smtp'))
    .flatMap(name => connectionsOf(readFileSync(`${FOLDER}/${name}`, 'utf8')))
}

/** Single command lines without CRLF, as latin1. */
export function commandLines(): readonly Buffer[] {
  const lines = conversations().flatMap(octets => octets.toString('latin1').replaceAll(END_OF_FLIGHT, '\r\n').split('\r\n'))
  return [...new Set(lines)].filter(line => line !== '' && line.length < 1000).map(line => Buffer.from(line, 'latin1'))
}

function connectionsOf(source: string): readonly Buffer[] {
  const connections: string[][] = []
  for (const step of parseTranscript(source)) {
    if (step.kind === 'event' && step.words.startsWith('connected')) connections.push([])
    else if (step.kind === 'client') connections.at(-1)?.push(step.octets.toString('latin1'))
  }
  return connections.filter(flights => flights.length > 0).map(flights => Buffer.from(flights.join(END_OF_FLIGHT), 'latin1'))
}
