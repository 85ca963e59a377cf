// What the stand-in answers with.
export interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

export const error = (status: number, code: string, message: string, suggestions?: string[]): Answer => ({ status, body: { error: { code, message, suggestions } } });
