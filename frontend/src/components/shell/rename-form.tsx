import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { MAX_NAME_LENGTH } from "@/app/session-list";
import { Button } from "@/components/ui/button";

type RenameFormProps = {
  name: string;
  onSave: (name: string) => void;
  onCancel: () => void;
};

/** A field for a session's name, in the place of its row. It has the focus, all of it selected. */
export function RenameForm({ name, onSave, onCancel }: RenameFormProps) {
  const [text, setText] = useState(name);
  const field = useRef<HTMLInputElement>(null);
  const id = useId();
  useEffect(() => {
    // After the menu that led here has closed and taken the focus to where its button was.
    const timer = setTimeout(() => {
      field.current?.focus();
      field.current?.select();
    });
    return () => clearTimeout(timer);
  }, []);
  const save = (event: FormEvent): void => {
    event.preventDefault();
    onSave(text);
  };
  return (
    <form onSubmit={save} className="flex flex-col gap-2 rounded-md border p-3">
      <label htmlFor={id} className="text-sm font-medium">
        Name
      </label>
      <input
        ref={field}
        id={id}
        value={text}
        maxLength={MAX_NAME_LENGTH}
        autoComplete="off"
        aria-describedby={`${id}-hint`}
        onChange={(event) => setText(event.target.value)}
        className="h-9 min-w-0 rounded-md border border-input bg-background px-3 text-sm touch:h-11 touch:text-base"
      />
      <p id={`${id}-hint`} className="text-xs text-muted-foreground">
        Names are kept in this browser only. An empty one takes the name away.
      </p>
      <div className="flex justify-end gap-2">
        <Button variant="outline" size="sm" onClick={onCancel}>
          Cancel
        </Button>
        <Button type="submit" size="sm">
          Save
        </Button>
      </div>
    </form>
  );
}
