import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Keeps a compiler that runs on the Java virtual machine, named by the argument, and builds one program after another.
 *
 * The program's files are laid into /box, where it would be built cold, so that messages name the same paths; what the
 * compiler leaves in /tmp/out is the answer. Both folders are empty again before the next program comes. Numbers are
 * unsigned, of four bytes, the highest first; a text or file is its length and its bytes; a list is its length and its
 * items. A request and an answer are each sent as one file:
 *
 * request: list of arguments, list of files (name, content)
 * answer: status, standard output, standard error, list of files (name, content)
 *
 * Whatever the compiler does not tell by a status ends this process; the program is then built cold.
 */
public final class Server {
    /** A compiler; nothing of one program may be left in it for the next one. */
    public interface Compiler {
        int compile(String[] arguments, PrintStream stdout, PrintStream stderr) throws Throwable;
    }

    private static final Path BOX = Paths.get("/box");
    private static final Path OUT = Paths.get("/tmp/out");

    public static void main(String[] args) throws Throwable {
        DataInputStream requests = new DataInputStream(new FileInputStream(FileDescriptor.in));
        DataOutputStream answers = new DataOutputStream(new FileOutputStream(FileDescriptor.out));
        System.setIn(InputStream.nullInputStream());
        Compiler compiler = (Compiler) Class.forName(args[0]).getDeclaredConstructor().newInstance();
        for (;;) {
            int length = requests.read();
            if (length < 0) return; // nobody asks any more
            for (int i = 0; i < 3; i++) length = length << 8 | requests.readUnsignedByte();
            byte[] request = new byte[length];
            requests.readFully(request);
            byte[] answer = build(compiler, new DataInputStream(new ByteArrayInputStream(request)));
            answers.writeInt(answer.length);
            answers.write(answer);
        }
    }

    private static byte[] build(Compiler compiler, DataInputStream request) throws Throwable {
        String[] arguments = new String[request.readInt()];
        for (int i = 0; i < arguments.length; i++) arguments[i] = new String(readBytes(request), StandardCharsets.UTF_8);
        for (int count = request.readInt(); count > 0; count--) {
            Path path = BOX.resolve(new String(readBytes(request), StandardCharsets.UTF_8));
            Files.createDirectories(path.getParent());
            Files.write(path, readBytes(request));
        }
        Files.createDirectory(OUT);
        ByteArrayOutputStream stdout = new ByteArrayOutputStream(), stderr = new ByteArrayOutputStream();
        int status;
        try (PrintStream out = new PrintStream(stdout, true, "UTF-8"); PrintStream err = new PrintStream(stderr, true, "UTF-8")) {
            System.setOut(out);
            System.setErr(err);
            status = compiler.compile(arguments, out, err);
        } finally {
            System.setOut(new PrintStream(new FileOutputStream(FileDescriptor.err), true));
            System.setErr(System.out);
        }
        ByteArrayOutputStream answer = new ByteArrayOutputStream();
        DataOutputStream data = new DataOutputStream(answer);
        data.writeInt(status);
        writeBytes(data, stdout.toByteArray());
        writeBytes(data, stderr.toByteArray());
        List<Path> files = new ArrayList<>();
        for (Path path : below(OUT)) if (Files.isRegularFile(path)) files.add(path);
        data.writeInt(files.size());
        for (Path path : files) {
            writeBytes(data, OUT.relativize(path).toString().getBytes(StandardCharsets.UTF_8));
            writeBytes(data, Files.readAllBytes(path));
        }
        remove(BOX);
        remove(OUT);
        Files.delete(OUT);
        return answer.toByteArray();
    }

    private static byte[] readBytes(DataInputStream data) throws IOException {
        byte[] bytes = new byte[data.readInt()];
        data.readFully(bytes);
        return bytes;
    }

    private static void writeBytes(DataOutputStream data, byte[] bytes) throws IOException {
        data.writeInt(bytes.length);
        data.write(bytes);
    }

    /** All that a folder holds, each folder before its content. */
    private static List<Path> below(Path folder) throws IOException {
        try (Stream<Path> paths = Files.walk(folder)) {
            return paths.filter(path -> !path.equals(folder)).collect(Collectors.toList());
        }
    }

    private static void remove(Path folder) throws IOException {
        List<Path> paths = below(folder);
        Collections.reverse(paths);
        for (Path path : paths) Files.delete(path);
    }
}
