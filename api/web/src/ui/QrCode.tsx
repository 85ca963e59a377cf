// A QR code, always dark on white, so that cameras read it in the dark theme too.
import { useMemo } from "react";
import { drawQr } from "../platform/qr.ts";
import styles from "./app-setup.module.css";

export function QrCode({ text, label }: { text: string; label: string }) {
  const { size, path } = useMemo(() => drawQr(text), [text]);
  return (
    <svg className={styles.qr} viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shapeRendering="crispEdges" data-testid="qr">
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
