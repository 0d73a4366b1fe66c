"""Labels of files against a little file system that knows where each of its bytes came from."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from aios.access.carries import FILE, PAST, Done, Place, carried
from aios.access.labels import PLAIN, Label, is_below, join, joined, label
from aios.kernel.guard.flow_book import Book
from aios.syscalls import file
from aios.syscalls.base import Syscall

PATHS = ("a", "d/a", "d/b", "d/e/a", "f/a")
FOLDERS = ("d", "d/e", "f", "g")
WRITERS = (PLAIN, label({"web"}), label({"mail"}, {"ann"}))


class Tree:
    """Every path's contents, the newest last, each with the label of what it was made from."""

    def __init__(self) -> None:
        self.files: dict[str, list[Label]] = {}
        self.bin: list[tuple[str, str, dict[str, list[Label]]]] = []

    def within(self, path: str) -> dict[str, list[Label]]:
        return {
            name: labels
            for name, labels in self.files.items()
            if name == path or name.startswith(f"{path}/")
        }

    def is_free(self, path: str) -> bool:
        above = any(path.startswith(f"{name}/") for name in self.files)
        return not above and not self.within(path)

    def take(self, path: str) -> dict[str, list[Label]]:
        found = self.within(path)
        for name in found:
            del self.files[name]
        return found

    def put(self, found: dict[str, list[Label]], source: str, target: str) -> None:
        for name, labels in found.items():
            self.files[target + name[len(source) :]] = labels


Step = Callable[[Tree, Book, Label], None]


def run(book: Book, call: Syscall[object], reply: object, writer: Label, *, is_done: bool) -> None:
    """As the flow does it."""
    steps = list(carried(Done(2, "ada", call, reply)))
    book.settle(book.change(steps, writer), is_done=is_done)


def write(path: str, *, whole: bool, fails: bool) -> Step:
    def step(tree: Tree, book: Book, writer: Label) -> None:
        if path not in tree.files and not tree.is_free(path):
            return
        call: Syscall[object] = (
            file.WriteFile(path=path, data=b"") if whole else file.AppendFile(path=path, data=b"")
        )
        run(book, call, None, writer, is_done=not fails)
        if not fails:
            before = tree.files.setdefault(path, [])
            before.append(writer if whole or not before else join(before[-1], writer))

    return step


def move(source: str, target: str) -> Step:
    def step(tree: Tree, book: Book, writer: Label) -> None:
        is_inside = target.startswith(f"{source}/")
        if is_inside or not tree.within(source) or not tree.is_free(target):
            return
        run(book, file.Move(path=source, to=target), None, writer, is_done=True)
        tree.put(tree.take(source), source, target)

    return step


def copy(source: str, target: str) -> Step:
    def step(tree: Tree, book: Book, writer: Label) -> None:
        is_inside = target.startswith(f"{source}/")
        if is_inside or not tree.within(source) or not tree.is_free(target):
            return
        run(book, file.Copy(path=source, to=target), None, writer, is_done=True)
        found = {name: labels[-1:] for name, labels in tree.within(source).items()}
        tree.put(found, source, target)

    return step


def delete(path: str) -> Step:
    def step(tree: Tree, book: Book, writer: Label) -> None:
        if not tree.within(path):
            return
        id = str(len(tree.bin))
        run(book, file.Delete(path=path), file.Deleted(id, path, 0.0, 0), writer, is_done=True)
        tree.bin.append((id, path, tree.take(path)))

    return step


def restore(target: str) -> Step:
    def step(tree: Tree, book: Book, writer: Label) -> None:
        if not tree.bin or not tree.is_free(target):
            return
        id, path, found = tree.bin.pop(0)
        info = file.FileInfo(path=target, kind="file", bytes=0, version=1, sha256="", modified=0.0)
        run(book, file.Restore(id=id, to=target), info, writer, is_done=True)
        tree.put(found, path, target)

    return step


ANY = st.sampled_from(PATHS + FOLDERS)
STEPS = st.one_of(
    st.builds(write, st.sampled_from(PATHS), whole=st.booleans(), fails=st.booleans()),
    st.builds(move, ANY, ANY),
    st.builds(copy, ANY, ANY),
    st.builds(delete, ANY),
    st.builds(restore, ANY),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(STEPS, st.sampled_from(WRITERS)), max_size=25))
def test_a_file_never_bears_less_than_what_it_was_made_from(
    steps: list[tuple[Step, Label]],
) -> None:
    tree, book = Tree(), Book()
    for step, writer in steps:
        step(tree, book, writer)
        for name, labels in tree.files.items():
            now = book.of(Place(FILE, "ada", name))
            assert is_below(labels[-1], now), name
            past = join(now, book.of(Place(PAST, "ada", name)))
            assert is_below(joined(labels), past), name


@given(st.lists(st.sampled_from(PATHS), max_size=10))
def test_who_heard_nothing_leaves_no_label_anywhere(paths: list[str]) -> None:
    tree, book = Tree(), Book()
    for path in paths:
        write(path, whole=True, fails=False)(tree, book, PLAIN)
        write(path, whole=False, fails=False)(tree, book, PLAIN)
        delete(path)(tree, book, PLAIN)
        restore(path)(tree, book, PLAIN)
    assert len(book) == 0


def test_a_fall_is_put_off_until_it_is_sure_and_off_where_somebody_wrote_meanwhile() -> None:
    place, web = Place(FILE, "ada", "a"), label({"web"})
    book = Book()
    book.restore(place, web)
    steps = list(carried(Done(2, "ada", file.WriteFile(path="a", data=b""), None)))
    falling = book.change(steps, PLAIN)
    assert falling.will[place] == PLAIN
    assert book.of(place) == web
    late = book.change(
        list(carried(Done(3, "ada", file.AppendFile(path="a", data=b""), None))), web
    )
    book.settle(falling, is_done=True)
    book.settle(late, is_done=True)
    assert book.of(place) == web
