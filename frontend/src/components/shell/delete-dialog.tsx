import { useState } from "react";
import { deleteSession } from "@/app/delete-session";
import { type ListedSession, titleOf } from "@/app/session-list";
import { Button } from "@/components/ui/button";
import { Dialog, DialogClose, DialogContent, DialogFooter } from "@/components/ui/dialog";

type DeleteDialogProps = {
  session: ListedSession;
  onClose: () => void;
  /** The session is gone, everywhere. */
  onDeleted: () => void;
};

/** Asks whether a session shall be gone for everybody, and deletes it. A failure is told here. */
export function DeleteDialog({ session, onClose, onDeleted }: DeleteDialogProps) {
  const [isDeleting, setDeleting] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);

  const confirm = async (): Promise<void> => {
    if (isDeleting) return;
    setDeleting(true);
    setFailure(null);
    const refusal = await deleteSession(session.id);
    setDeleting(false);
    if (refusal === null) onDeleted();
    else setFailure(refusal);
  };

  return (
    <Dialog open onOpenChange={(isOpen) => !isOpen && onClose()}>
      <DialogContent
        title="Delete this session?"
        description={`“${titleOf(session)}” will be gone for everybody who uses it and in every tab. It cannot be brought back.`}
      >
        {failure !== null && (
          <p role="alert" className="text-sm text-destructive">
            {failure}
          </p>
        )}
        <DialogFooter>
          <DialogClose asChild>
            <Button variant="outline">Keep it</Button>
          </DialogClose>
          <Button variant="destructive" aria-disabled={isDeleting} onClick={() => void confirm()}>
            {isDeleting ? "Deleting …" : "Delete for everybody"}
          </Button>
        </DialogFooter>
      </DialogContent>
    </Dialog>
  );
}
