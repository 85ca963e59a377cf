// The one drop-down menu. Not modal: a modal one injects a style element, which the CSP forbids.
import { DropdownMenu } from "radix-ui";
import { Check } from "lucide-react";
import type { ReactNode } from "react";
import styles from "./menu.module.css";

export function Menu({ trigger, children }: { trigger: ReactNode; children: ReactNode }) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className={styles.menu} align="end" sideOffset={6} collisionPadding={8} onClick={(event) => event.stopPropagation()}>
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

interface ItemProps {
  children: ReactNode;
  onSelect: () => void;
  icon?: ReactNode;
  chosen?: boolean;
  danger?: boolean;
  /** The same act by keyboard. */
  keys?: string | undefined;
}

export function MenuItem({ children, onSelect, icon, chosen = false, danger = false, keys }: ItemProps) {
  return (
    <DropdownMenu.Item className={styles.item} data-danger={danger} onSelect={onSelect}>
      <span className={styles.slot}>{chosen ? <Check aria-label="chosen" /> : icon}</span>
      {children}
      {keys && <kbd className={styles.keys}>{keys}</kbd>}
    </DropdownMenu.Item>
  );
}

export const MenuLine = () => <DropdownMenu.Separator className={styles.line} />;
export const MenuNote = ({ children }: { children: ReactNode }) => <DropdownMenu.Label className={styles.note}>{children}</DropdownMenu.Label>;
