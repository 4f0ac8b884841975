/** A table of postern.toml: unknown keys are errors, and so is anything that isn't a table. */

import { z } from 'zod'

export function table<Shape extends z.core.$ZodShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: issue => (issue.code === 'invalid_type' ? 'write a table: a [header] with keys below it' : undefined),
  })
}
