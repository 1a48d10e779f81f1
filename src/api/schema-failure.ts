// The schema of a failure, which any answer may be instead of its reply.

import * as z from 'zod';
import type { FailureData } from '../base/failure.ts';
import { type FailureCode, failureCatalogue } from '../base/failure-catalogue.ts';

const codes = Object.keys(failureCatalogue) as [FailureCode, ...FailureCode[]];

/** A code that this version does not know becomes `internal`; message and remedy stay. */
export const failure: z.ZodType<FailureData> = z.object({
  code: z.enum(codes).catch('internal'),
  message: z.string(),
  remedy: z.string(),
  at: z.string().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});
