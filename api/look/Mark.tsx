// The mark: a matrix of one, a single cell between its brackets.
export function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" fill="none" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" fill="var(--accent)" />
      <path d="M10 8H8v16h2M22 8h2v16h-2" stroke="var(--accent-fg)" strokeWidth="2" strokeLinecap="square" />
      <rect x="13" y="13" width="6" height="6" rx="1.5" fill="var(--accent-fg)" />
    </svg>
  );
}
